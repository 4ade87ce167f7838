/** The checkpoint of a partition as Redis holds it: one text, so that it is compared as a whole. */
import { Buffer } from 'node:buffer';
import type { Checkpoint } from '../../view.js';

/** The same checkpoint is always the same text. */
export function checkpointText({ offset, epoch, position, hash, recordedTime }: Checkpoint): string {
  const hex = Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
  return [offset, epoch, position, hex, recordedTime].map(String).join(' ');
}

/** @throws Error on a text that is none. */
export function checkpointOfText(partition: number, text: string): Checkpoint {
  const [offset, epoch, position, hash, recordedTime] = text.split(' ');
  if (
    offset === undefined ||
    epoch === undefined ||
    position === undefined ||
    hash === undefined ||
    recordedTime === undefined
  ) {
    throw new Error(`the checkpoint of partition ${String(partition)} is not one: ${text}`);
  }
  return {
    partition,
    offset: BigInt(offset),
    epoch: Number(epoch),
    position: BigInt(position),
    // Not a Buffer: checkpoints of several stores are compared as plain bytes.
    hash: new Uint8Array(Buffer.from(hash, 'hex')),
    recordedTime: BigInt(recordedTime),
  };
}
