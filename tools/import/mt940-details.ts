/** What a field 86 says of a movement, in the three ways in which banks structure it. */

/** Texts for people, kept on request only. */
export interface Details {
  readonly counterparty: string;
  readonly description: string;
}

/** Subfields of German banks: what for (?20 to ?29, ?60 to ?63), and who (?32, ?33). */
const REMITTANCE = /^(2\d|6[0-3])$/;
const NAME = /^3[23]$/;

/** Reads `020?20RENT?32ANNA`, `/NAME/ANNA/REMI/RENT`, or plain text. */
export function detailsOf(lines: readonly string[]): Details {
  const joined = lines.join('');
  if (/^\d{3}\?/.test(joined)) return german(joined);
  if (/\/(REMI|NAME)\//.test(joined)) return slashed(joined);
  return {
    counterparty: '',
    description: lines
      .map((line) => line.trim())
      .join(' ')
      .trim(),
  };
}

function german(text: string): Details {
  const subfields = text
    .slice(3)
    .split('?')
    .map((each): [string, string] => [each.slice(0, 2), each.slice(2)]);
  const joined = (pattern: RegExp): string =>
    subfields
      .filter(([code]) => pattern.test(code))
      .map(([, value]) => value)
      .join('')
      .trim();
  return { counterparty: joined(NAME), description: joined(REMITTANCE) };
}

function slashed(text: string): Details {
  const value = (code: string): string =>
    new RegExp(`/${code}/(.*?)(?=/[A-Z]{3,4}/|$)`).exec(text)?.[1]?.trim() ?? '';
  return { counterparty: value('NAME'), description: value('REMI') };
}
