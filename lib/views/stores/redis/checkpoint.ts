/** The checkpoint of a partition as Redis holds it: one text, so that it is compared as a whole. */
import { Buffer } from 'node:buffer';
import { type Parked, parkedAt, parkedOfText, parkedText } from '../../parked/parked.js';
import type { Checkpoint } from '../../view.js';

/** The same checkpoint is always the same text. What is parked comes last, if anything ever was: lua/ cuts it off. */
export function checkpointText(checkpoint: Checkpoint): string {
  const { offset, epoch, position, hash, recordedTime } = checkpoint;
  const hex = Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
  return (
    [offset, epoch, position, hex, recordedTime].map(String).join(' ') + parkedSuffix(parkedAt(checkpoint))
  );
}

/** How the text of a checkpoint ends. */
export function parkedSuffix(parked: Parked): string {
  const text = parkedText(parked);
  return text === '' ? '' : ` ${text}`;
}

/** @throws Error on a text that is none. */
export function checkpointOfText(partition: number, text: string): Checkpoint {
  const [offset, epoch, position, hash, recordedTime, ...rest] = text.split(' ');
  if (
    offset === undefined ||
    epoch === undefined ||
    position === undefined ||
    hash === undefined ||
    recordedTime === undefined
  ) {
    throw new Error(`the checkpoint of partition ${String(partition)} is not one: ${text}`);
  }
  const at = {
    partition,
    offset: BigInt(offset),
    epoch: Number(epoch),
    position: BigInt(position),
    // Not a Buffer: checkpoints of several stores are compared as plain bytes.
    hash: new Uint8Array(Buffer.from(hash, 'hex')),
    recordedTime: BigInt(recordedTime),
  };
  const parked = parkedOfText(rest.join(' '));
  return parked === undefined ? at : { ...at, parked };
}
