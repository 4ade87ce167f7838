/** The control of a projector that is the only one: kept in memory, and gone with the process. */
import type { ViewId } from '../../../lib/views/view.js';
import { type ControlState, INITIAL_STATE, type Lease, type ProjectionControl } from './control.js';

/** @param paused the projections that do not run until they are resumed */
export function soloControl(paused: readonly ViewId[] = []): ProjectionControl {
  const states = new Map<ViewId, ControlState>(
    paused.map((view) => [view, { ...INITIAL_STATE, paused: true }]),
  );
  const held = new Set<ViewId>();
  const change = async (view: ViewId, changed: (state: ControlState) => Partial<ControlState>) => {
    const state = states.get(view) ?? INITIAL_STATE;
    states.set(view, { ...state, ...changed(state) });
  };
  return {
    isShared: false,
    read: async () => states,
    setPaused: (view, paused) =>
      change(view, ({ resumes }) => ({ paused, resumes: paused ? resumes : resumes + 1 })),
    saveRebuild: (view, rebuild) => change(view, () => ({ rebuild })),
    report: async () => undefined,
    acquire: async (view): Promise<Lease | undefined> => {
      if (held.has(view)) return undefined;
      held.add(view);
      return {
        signal: new AbortController().signal,
        release: async () => {
          held.delete(view);
        },
      };
    },
    close: async () => undefined,
  };
}
