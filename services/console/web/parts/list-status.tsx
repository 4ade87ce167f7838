/** Whether a list follows what is committed. */
import type { ReactNode } from 'react';
import { liveStore } from '../state/reads.js';
import { useStore } from '../state/store.js';

interface ListStatusProps {
  /** The rows stay where they are while the operator points at them. */
  readonly isHeld: boolean;
  readonly children?: ReactNode;
}

export function ListStatus({ isHeld, children }: ListStatusProps) {
  const isLive = useStore(liveStore);
  const word = !isLive ? 'paused' : isHeld ? 'still under the pointer' : 'live';
  return (
    <span className="muted small" role="status">
      {word}
      {children}
    </span>
  );
}
