/** The server as the passes of an import see it. */
import type { Command } from '../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { sentenceOfCall } from '../client/errors.js';
import type { GrpcClient } from '../client/grpc-client.js';
import { type Answer, type Item, sendAll } from './send.js';

/** Gets the progress of the passes; the command draws it. */
export interface ImportListener {
  /** A pass begins; `total` commands are to be sent. */
  begin(title: string, total: number): void;
  /** How many of the pass are answered. */
  progress(done: number): void;
  end(): void;
  /** A line worth reading: a note, a lost connection. */
  note(line: string): void;
}

/** Where commands go. */
export interface Connection {
  readonly client: GrpcClient;
  /** `host:port`, for messages. */
  readonly address: string;
  /** For how long to try again when the server is away, without any progress. */
  readonly patience_ms: number;
  readonly listener: ImportListener;
}

/** Sends the commands of a pass in order, and shows how far it is. @throws SendError when the server stays away. */
export async function sendPass<T>(
  { client, address, patience_ms, listener }: Connection,
  pass: { readonly title: string; readonly total: number; readonly items: AsyncIterable<Item<T>> },
  onAnswer: (about: T, answer: Answer) => void,
): Promise<void> {
  let done = 0;
  listener.begin(pass.title, pass.total);
  try {
    await sendAll(client, pass.items, {
      patience_ms,
      explain: (error) => sentenceOfCall(error, address),
      onRetry: (why) => listener.note(`trying again: ${why}`),
      onAnswer: (about, answer) => {
        listener.progress((done += 1));
        onAnswer(about, answer);
      },
    });
  } finally {
    listener.end();
  }
}

/** Asks a few things of the ledger; the answers are in the order of the questions. */
export async function ask<T>(
  connection: Connection,
  title: string,
  questions: readonly { readonly about: T; readonly command: Command }[],
  onAnswer: (about: T, answer: Answer) => void,
): Promise<void> {
  if (questions.length === 0) return;
  const items = (async function* () {
    yield* questions;
  })();
  await sendPass(connection, { title, total: questions.length, items }, onAnswer);
}
