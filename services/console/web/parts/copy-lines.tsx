/** The same call, to paste into a terminal. */
import type { DescMethod, JsonValue } from '@bufbuild/protobuf';
import { useExponents } from '../state/exponents.js';
import { callLines } from './copy-as.js';
import { CopyButton } from './text.js';

interface Call {
  readonly method: DescMethod;
  readonly json: JsonValue;
}

export function CopyAs(call: Call) {
  return (
    <details>
      <summary>Copy as</summary>
      <CopyLines {...call} />
    </details>
  );
}

/** A line for each program that can call it. */
export function CopyLines({ method, json }: Call) {
  const lines = callLines(method, json, useExponents());
  return lines.map(({ program, text }) => (
    <div key={program} className="part">
      <span>
        {program} <CopyButton text={text} what={`the ${program} line`} />
      </span>
      <pre tabIndex={0}>{text}</pre>
    </div>
  ));
}
