/** A call as lines to paste: by curl over Connect, by grpcurl over gRPC. */
import type { DescMethod, JsonValue } from '@bufbuild/protobuf';
import { ownBase, settingsStore } from '../state/session.js';

export interface CallLines {
  readonly curl: string;
  readonly grpcurl: string;
}

export function callLines(method: DescMethod, json: JsonValue): CallLines {
  const path = `${method.parent.typeName}/${method.name}`;
  const { hasAuth, commandOrigin, projectorOrigin } = settingsStore.get();
  const base = path.startsWith('quittance.command.')
    ? commandOrigin
    : path.startsWith('quittance.ops.')
      ? projectorOrigin
      : null;
  const data = quoted(JSON.stringify(json));
  const token = hasAuth ? ` -H "Authorization: Bearer $TOKEN"` : '';
  return {
    curl: `curl -H 'Content-Type: application/json'${token} -d ${data} ${base ?? ownBase()}/${path}`,
    grpcurl: `grpcurl -plaintext${token} -d ${data} ${window.location.hostname}:50051 ${path}`,
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
