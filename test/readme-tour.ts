/** The calls of the tour in README.md, as anybody would paste them. */
import { readFileSync } from 'node:fs';

/** One call of the tour. */
export interface TourCall {
  /** The heading it stands under. */
  readonly title: string;
  readonly door: 'connect' | 'grpc';
  /** `package.Service/Method`. */
  readonly method: string;
  /** The request as JSON text. */
  readonly data: string;
  /** Whether the request is framed as Connect frames the messages of streams. */
  readonly framed: boolean;
  /** Snippets of JSON that the answer holds. */
  readonly expected: readonly string[];
}

const README = new URL('../README.md', import.meta.url);

/** The README's text. */
export function readReadme(): string {
  return readFileSync(README, 'utf8');
}

/** Every call of the tour in order. @throws Error on a block that is no call it understands. */
export function readTour(): TourCall[] {
  const readme = readReadme();
  const tour = readme.slice(readme.indexOf('## A tour'), readme.indexOf('### Then'));
  const calls: TourCall[] = [];
  let title = '';
  let waiting: Omit<TourCall, 'expected'>[] = [];
  for (const { groups } of tour.matchAll(
    /^### (?<title>.*)$|^```bash\n(?<block>[^]*?)^```$|^→ (?<expected>.*)$/gm,
  )) {
    if (groups?.['title'] !== undefined) title = groups['title'];
    else if (groups?.['block'] !== undefined) waiting.push({ title, ...readBlock(groups['block']) });
    else {
      const expected = [...(groups?.['expected'] ?? '').matchAll(/`([^`]*)`/g)].map(([, text]) => text ?? '');
      calls.push(...waiting.map((call) => ({ ...call, expected })));
      waiting = [];
    }
  }
  if (waiting.length > 0) throw new Error(`${title}: no line with → says what to expect`);
  return calls;
}

function readBlock(block: string): Omit<TourCall, 'title' | 'expected'> {
  const command = block.replaceAll(/\\\n\s*/g, '').trim();
  const grpc = /^grpcurl -plaintext -d '(?<data>[^']*)' localhost:50051 (?<method>[\w.]+\/\w+)$/.exec(
    command,
  );
  const unary =
    /^curl -s http:\/\/localhost:8081\/(?<method>[\w.]+\/\w+) -H 'Content-Type: application\/json' -d '(?<data>[^']*)'$/.exec(
      command,
    );
  const stream =
    /^printf '\\0\\0\\0\\0\\(?<length>[0-7]{3})(?<data>[^']*)' \| curl -s http:\/\/localhost:8081\/(?<method>[\w.]+\/\w+) -H 'Content-Type: application\/connect\+json' --data-binary @- \|/.exec(
      command,
    );
  const found = (grpc ?? unary ?? stream)?.groups;
  if (found?.['method'] === undefined || found['data'] === undefined)
    throw new Error(`not a call that the test understands:\n${block}`);
  const { method, data, length } = found;
  if (length !== undefined && Number.parseInt(length, 8) !== data.length)
    throw new Error(
      `the frame says ${String(Number.parseInt(length, 8))} bytes and has ${String(data.length)}:\n${block}`,
    );
  return { door: grpc === null ? 'connect' : 'grpc', method, data, framed: stream !== null };
}
