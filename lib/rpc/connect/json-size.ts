/** How large an answer is as JSON. */
import { type DescMessage, type JsonWriteOptions, type Message, toJsonString } from '@bufbuild/protobuf';
import { MESSAGE_MAX_BYTES } from '../decode.js';
import { anyTypes } from './connect-error.js';

/** Answers in JSON hold every field, zeros and empty lists too: a caller reads `exponent` 0 and not undefined. */
export const JSON_FIELDS: Partial<JsonWriteOptions> = { registry: anyTypes, alwaysEmitImplicit: true };

/** Whether the answer is small enough to be sent as JSON. */
export function fitsInJson(schema: DescMessage, answer: Message): boolean {
  return Buffer.byteLength(toJsonString(schema, answer, JSON_FIELDS)) <= MESSAGE_MAX_BYTES;
}
