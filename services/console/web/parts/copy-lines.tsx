/** The same call, to paste into a terminal. */
import type { DescMethod, JsonValue } from '@bufbuild/protobuf';
import { callLines } from './copy-as.js';
import { CopyButton } from './text.js';

export function CopyAs({ method, json }: { readonly method: DescMethod; readonly json: JsonValue }) {
  const { curl, grpcurl } = callLines(method, json);
  return (
    <details>
      <summary>Copy as</summary>
      {Object.entries({ curl, grpcurl }).map(([name, line]) => (
        <div key={name} className="part">
          <span>
            {name} <CopyButton text={line} what={`the ${name} line`} />
          </span>
          <pre tabIndex={0}>{line}</pre>
        </div>
      ))}
    </details>
  );
}
