/** Keeps a page that cannot be drawn from taking the frame away with it. */
import { Component, type ReactNode } from 'react';
import { FailureNote } from '../parts/text.js';

interface FaultBoundaryProps {
  readonly children: ReactNode;
}

interface FaultBoundaryState {
  readonly error: Error | null;
}

/** React asks for a class: only one can catch what a child throws while it is drawn. */
export class FaultBoundary extends Component<FaultBoundaryProps, FaultBoundaryState> {
  override state: FaultBoundaryState = { error: null };

  static getDerivedStateFromError(error: unknown): FaultBoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <>
        <h1>This page could not be drawn</h1>
        <FailureNote error={error} />
        <p>
          <button type="button" onClick={() => window.location.reload()}>
            Load it again
          </button>
        </p>
      </>
    );
  }
}
