/** JSON over HTTP with connections that are kept, for the peers that speak it. */

const TIMEOUT_MS = 30_000;

/** Posts a body. @returns the answer. @throws Error with the answer's text where the status is not of success */
export async function post(
  base: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetch(new URL(path, base), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answers ${String(response.status)}: ${text.slice(0, 300)}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A text of an answer. @throws Error if it has none of that name */
export function textOf(answer: unknown, name: string): string {
  const found: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined;
  if (typeof found === 'string') return found;
  throw new Error(`an answer has no ${name}: ${JSON.stringify(answer).slice(0, 300)}`);
}
