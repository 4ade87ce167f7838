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
  /** Closes what was opened, after the projector has stopped. */
  close(): Promise<void>;
}

/** Serves until the process asks for the end. An error that is not an answer ends the thread: the process makes another. */
export function serveThread(
  port: MessagePort,
  { received }: Pick<ThreadStart, 'received'>,
  threaded: ThreadedProjector,
): void {
  const { projector } = threaded;
  const counters = new BigUint64Array(received);
  const send = (message: FromThread) => port.postMessage(message);
  const start = async () => {
    await projector.start();
    send({ kind: 'started' });
  };
  const answer = async (id: number, question: Question) => {
    try {
      send({ kind: 'answer', id, answer: await answerTo(question, threaded) });
    } catch (error) {
      send({ kind: 'failure', id, failure: failureOf(error) });
    }
  };
  const stop = async () => {
    await projector.stop();
    await threaded.close();
    send({ kind: 'stopped' });
    port.close();
  };
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'start':
        void start();
        break;
      case 'flush': {
        const { flush } = message;
        Atomics.add(counters, 0, BigInt(flush.count));
        Atomics.add(counters, 1, BigInt(flush.block.byteLength));
        threaded.handOver(flush);
        break;
      }
      case 'grown':
        threaded.grown();
        break;
      case 'question':
        void answer(message.id, message.question);
        break;
      case 'stop':
        void stop();
        break;
    }
  });
}

async function answerTo(question: Question, { projector }: ThreadedProjector): Promise<unknown> {
  switch (question.name) {
    case 'list':
      return projector.operations.list();
    case 'run':
      return projector.operations.run(question.asked);
    case 'figures':
      return projector.figures();
  }
}
