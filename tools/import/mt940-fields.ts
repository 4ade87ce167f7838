/** Cuts an MT940 into its fields, each with the line that it begins on. */
import { type Problems, quoted } from './problems.js';

/** A field such as `:61:2401310131D12,50NTRFNONREF`. */
export interface Field {
  /** Without colons: `61`. */
  readonly tag: string;
  readonly line: number;
  /** What stands on its first line. */
  readonly text: string;
  /** All of its lines, the first one included. */
  readonly lines: readonly string[];
}

/** Fields that may take several lines. */
const SEVERAL_LINES: ReadonlySet<string> = new Set(['61', '86', 'NS']);
const TAG = /^:(?<tag>\d{2}[A-Z]?|NS):(?<text>.*)$/s;
/** What ends a message, with the blocks of the envelope that some banks leave around it. */
const END = /^(-|-\}.*|\{.*)$/s;

/** The fields in order. Text that belongs to no field is a problem. */
export async function* fieldsOf(text: AsyncIterable<string>, problems: Problems): AsyncGenerator<Field> {
  let open: (Field & { readonly lines: string[] }) | undefined;
  let line = 0;
  for await (const whole of linesOf(text)) {
    line += 1;
    const tagged = TAG.exec(whole)?.groups;
    if (tagged !== undefined) {
      if (open !== undefined) yield open;
      const { tag = '', text: rest = '' } = tagged;
      open = { tag, line, text: rest, lines: [rest] };
    } else if (open === undefined) {
      // Before the first field of a message banks write envelopes and headers of their own.
      continue;
    } else if (END.test(whole)) {
      yield open;
      open = undefined;
    } else if (SEVERAL_LINES.has(open.tag)) {
      open.lines.push(whole);
    } else if (whole.trim() !== '') {
      problems.add(line, `${quoted(whole)} belongs to no field of MT940`);
    }
  }
  if (open !== undefined) yield open;
}

/** Lines without their ends, of a text that comes in pieces. */
async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of text) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
}
