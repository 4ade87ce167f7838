/** A call as lines to paste: by curl over Connect, by grpcurl over gRPC, by the command line. */
import type { DescMethod, JsonValue } from '@bufbuild/protobuf';
import type { ExponentOf } from '../actions/form-values.js';
import { ownBase, settingsStore } from '../state/session.js';
import { cliLine, quoted } from './cli-line.js';

export interface CallLine {
  readonly program: string;
  readonly text: string;
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const GRPC_PORT = '50051';

export function callLines(method: DescMethod, json: JsonValue, exponentOf: ExponentOf): readonly CallLine[] {
  const path = `${method.parent.typeName}/${method.name}`;
  const { hasAuth, commandOrigin, projectorOrigin } = settingsStore.get();
  const base = path.startsWith('quittance.command.')
    ? commandOrigin
    : path.startsWith('quittance.ops.')
      ? projectorOrigin
      : null;
  const data = quoted(JSON.stringify(json));
  const token = hasAuth ? ` -H "Authorization: Bearer $TOKEN"` : '';
  const { hostname } = window.location;
  const grpcurl = `grpcurl -plaintext${token} -d ${data} ${hostname}:${GRPC_PORT} ${path}`;
  const line = cliLine(method, json, exponentOf);
  const address = LOOPBACK.includes(hostname) ? '' : ` --address ${hostname}:${GRPC_PORT}`;
  const curl = `curl -H 'Content-Type: application/json'${token} -d ${data} ${base ?? ownBase()}/${path}`;
  const lines = [
    // Streams of answers are framed, which curl does not read.
    ['curl', method.methodKind === 'unary' ? curl : undefined],
    ['grpcurl', grpcurl],
    ['quittance', line === undefined ? undefined : line + address],
  ] as const;
  return lines.flatMap(([program, text]) => (text === undefined ? [] : [{ program, text }]));
}
