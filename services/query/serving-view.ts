/** The generation of a view that serves, known without asking for it with every read. */
import { ErrorReason } from '../../gen/quittance/common/v1/error_reason_pb.js';
import { fail } from '../../lib/rpc/errors.js';
import { GenerationGoneError } from '../../lib/views/view-errors.js';
import { type View, ViewMissingError } from '../../lib/views/view.js';

/** What readers need of any view. */
export type ReadableView = Pick<View, 'id' | 'generation' | 'checkpoint'>;

/** Knows the generation that serves. */
export interface Generations<V> {
  /** @throws ViewMissingError if there is no such view */
  current(): Promise<V>;
}

/** Gives the generation of a view that serves, from memory; `refresh` asks the store which one that is. */
export interface ViewGetter<V extends ReadableView> {
  (): Promise<V>;
  refresh(): Promise<V>;
}

/** How old the knowledge of which generation serves may get before it is read again, in the background. */
const POINTER_AGE_MS = 500;
/**
 * Beyond this age a read waits for it: after an idle time no read may get a generation that was replaced long
 * ago.
 */
const POINTER_TOO_OLD_MS = 5_000;

/**
 * Keeps the serving generation in memory; concurrent refreshes are one read. `now` is monotonic, in
 * milliseconds. What it gives rejects with CallError NOT_SERVING until the projector has made the view.
 */
export function servingView<V extends ReadableView>(
  generations: Generations<V>,
  now: () => number = () => performance.now(),
): ViewGetter<V> {
  let serving: V | undefined;
  let readAt_ms = -Infinity;
  let reading: Promise<V> | undefined;

  const refresh = (): Promise<V> => {
    reading ??= generations
      .current()
      .then((view) => {
        // The same generation stays the same object: statements prepared and pollers under way go on.
        if (serving?.generation !== view.generation) serving = view;
        readAt_ms = now();
        return serving;
      })
      .catch((error: unknown) => {
        throw error instanceof ViewMissingError
          ? fail(ErrorReason.NOT_SERVING, `the ${error.view} view is not there yet`, { cause: error })
          : error;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const get = (): Promise<V> => {
    if (serving === undefined || now() - readAt_ms > POINTER_TOO_OLD_MS) return refresh();
    if (now() - readAt_ms > POINTER_AGE_MS) {
      // The next try comes as late as after a success: a store that is away is not asked with every read. The
      // read itself fails.
      readAt_ms = now();
      refresh().catch(() => undefined);
    }
    return Promise.resolve(serving);
  };
  return Object.assign(get, { refresh });
}

/** Whether an error says that the generation it was asked of is no more. */
export function isGenerationGone(error: unknown): boolean {
  return error instanceof GenerationGoneError;
}
