/** The thread's side: runs the projections of a composition, and answers the process. */
import type { MessagePort } from 'node:worker_threads';
import type { PackedFlush } from '../../../lib/log/packed-flush.js';
import type { ComposedProjector } from '../compose.js';
import { failureOf, type FromThread, type Question, type ThreadStart, type ToThread } from './messages.js';

/** What a composition makes for the thread. */
export interface ThreadedProjector {
  readonly projector: Pick<ComposedProjector, 'operations' | 'figures' | 'start' | 'stop'>;
  /** Takes what was just committed. */
  handOver(flush: PackedFlush): void;
  /** The log has more than was handed over. */
  grown(): void;
  /** A new epoch of the log begins. */
  forked(): void;
  /** Closes what was opened, after the projector has stopped. */
  close(): Promise<void>;
}

/**
 * Serves until the process asks for the end. An error that is not an answer ends the thread: the process makes another.
 * @param compose called when the log is there
 */
export function serveThread<P>(
  port: MessagePort,
  compose: (start: ThreadStart<P>, send: (message: FromThread) => void) => ThreadedProjector,
): void {
  let serving: Serving | undefined;
  const send = (message: FromThread) => port.postMessage(message);
  port.on('message', (message: ToThread<P>) => {
    switch (message.kind) {
      case 'start':
        serving = new Serving(compose(message.start, send), message.start.received, send);
        void serving.start();
        break;
      case 'flush':
        serving?.handOver(message.flush);
        break;
      case 'grown':
        serving?.grown();
        break;
      case 'forked':
        serving?.forked();
        break;
      case 'question':
        void serving?.answer(message.id, message.question);
        break;
      case 'stop':
        void (serving?.stop() ?? Promise.resolve()).then(() => {
          send({ kind: 'stopped' });
          port.close();
        });
        break;
    }
  });
}

/** The projector, from its start on. */
class Serving {
  readonly #threaded: ThreadedProjector;
  readonly #received: BigUint64Array;
  readonly #send: (message: FromThread) => void;

  constructor(threaded: ThreadedProjector, received: SharedArrayBuffer, send: (message: FromThread) => void) {
    this.#threaded = threaded;
    this.#received = new BigUint64Array(received);
    this.#send = send;
  }

  async start(): Promise<void> {
    await this.#threaded.projector.start();
    this.#send({ kind: 'started' });
  }

  handOver(flush: PackedFlush): void {
    Atomics.add(this.#received, 0, BigInt(flush.count));
    Atomics.add(this.#received, 1, BigInt(flush.block.byteLength));
    this.#threaded.handOver(flush);
  }

  grown(): void {
    this.#threaded.grown();
  }

  forked(): void {
    this.#threaded.forked();
  }

  async answer(id: number, question: Question): Promise<void> {
    try {
      this.#send({ kind: 'answer', id, answer: await answerTo(question, this.#threaded) });
    } catch (error) {
      this.#send({ kind: 'failure', id, failure: failureOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#threaded.projector.stop();
    await this.#threaded.close();
  }
}

async function answerTo(question: Question, { projector }: ThreadedProjector): Promise<unknown> {
  switch (question.name) {
    case 'list':
      return projector.operations.list();
    case 'run':
      return projector.operations.run(question.asked);
    case 'deadLetters':
      return projector.operations.deadLetters(question.asked);
    case 'retry':
      return projector.operations.retry(question.asked);
    case 'figures':
      return projector.figures();
  }
}
