/** Walks through the XML of a CAMT.053 and collects the elements that a statement, a balance or an entry consists of. */
import { SaxesParser } from 'saxes';
import { BadFileError, FieldFault } from './problems.js';

/** The values of the elements and attributes inside one element, by their path: `Amt`, `Amt@Ccy`, `Acct/Id/IBAN`. */
export class Values {
  readonly #values = new Map<string, string[]>();

  constructor(
    /** Where the element begins. */
    readonly line: number,
  ) {}

  /** Keeps a value; of many at the same path (a bulk of transfers in one entry) only the first ones. */
  add(path: string, value: string): void {
    const values = this.#values.get(path);
    if (values === undefined) this.#values.set(path, [value]);
    else if (values.length < MAX_AT_PATH) values.push(value);
  }

  all(path: string): readonly string[] {
    return this.#values.get(path) ?? [];
  }

  /** The first value at the first of the paths that has one; empty if none has. */
  text(...paths: readonly string[]): string {
    for (const path of paths) {
      const [value] = this.all(path);
      if (value !== undefined) return value;
    }
    return '';
  }

  /** @throws FieldFault if there is none. */
  required(...paths: readonly string[]): string {
    const value = this.text(...paths);
    if (value === '') throw new FieldFault(`the element lacks <${paths[0] ?? ''}>`);
    return value;
  }
}

/** What has been read: a balance or an entry of a statement, or that the statement itself has ended. */
export type CamtElement =
  | { readonly kind: 'balance' | 'entry'; readonly values: Values; readonly statement: Values }
  | { readonly kind: 'end'; readonly statement: Values; readonly line: number };

const MAX_AT_PATH = 20;
const ROOT = 'BkToCstmrStmt';
/** Messages of the same family that are no statements. */
const RELATIVES: Readonly<Record<string, string>> = {
  BkToCstmrAcctRpt: 'a camt.052, a report within the day',
  BkToCstmrDbtCdtNtfctn: 'a camt.054, a notification',
};
/** More levels than any statement has. */
const MAX_DEPTH = 60;

/** Balances, entries and ends of statements in order. @throws BadFileError for what is no XML or no camt.053. */
export async function* camtElements(text: AsyncIterable<string>): AsyncGenerator<CamtElement> {
  const walk = new Walk();
  for await (const piece of text) yield* walk.take(piece);
  yield* walk.end();
}

/** The parser with the place where it is. */
class Walk {
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #found: CamtElement[] = [];
  /** Local names from the root. */
  readonly #path: string[] = [];
  #text = '';
  #seenRoot = false;
  #statement: Values | undefined;
  /** The balance or entry that is open, and the depth of its element. */
  #part: { readonly values: Values; readonly depth: number } | undefined;

  constructor() {
    this.#parser.on('error', (error) => {
      const [, line = '', problem = error.message] = /^(?:.*?:)?(\d+):\d+: (.*)$/s.exec(error.message) ?? [];
      throw new BadFileError([`line ${line}: this is no well-formed XML: ${problem}`]);
    });
    this.#parser.on('doctype', () => {
      throw new BadFileError(['the file declares a document type, which no camt.053 has; it is not read']);
    });
    this.#parser.on('opentag', ({ local, attributes }) => this.#open(local, attributes));
    this.#parser.on('closetag', ({ local }) => this.#close(local));
    this.#parser.on('text', (piece) => (this.#text += piece));
    this.#parser.on('cdata', (piece) => (this.#text += piece));
  }

  take(piece: string): CamtElement[] {
    this.#parser.write(piece);
    return this.#found.splice(0);
  }

  end(): CamtElement[] {
    this.#parser.close();
    if (!this.#seenRoot) throw new BadFileError([`this XML holds no <${ROOT}>; it is no camt.053`]);
    return this.#found.splice(0);
  }

  #open(
    name: string,
    attributes: Readonly<Record<string, { readonly local: string; readonly value: string }>>,
  ): void {
    const relative = RELATIVES[name];
    if (relative !== undefined)
      throw new BadFileError([
        `line ${this.#parser.line}: this is ${relative}; only camt.053 can be imported`,
      ]);
    if (name === ROOT) this.#seenRoot = true;
    this.#path.push(name);
    if (this.#path.length > MAX_DEPTH)
      throw new BadFileError([
        `line ${this.#parser.line}: more than ${MAX_DEPTH} elements lie in each other`,
      ]);
    this.#text = '';
    const parent = this.#path.at(-2);
    if (name === 'Stmt' && parent === ROOT) this.#statement = new Values(this.#parser.line);
    else if ((name === 'Ntry' || name === 'Bal') && parent === 'Stmt')
      this.#part = { values: new Values(this.#parser.line), depth: this.#path.length };
    for (const { local, value } of Object.values(attributes)) this.#keep(`@${local}`, value);
  }

  #close(name: string): void {
    const value = this.#text.trim();
    if (value !== '') this.#keep('', value);
    this.#text = '';
    const statement = this.#statement;
    if (statement !== undefined && this.#part?.depth === this.#path.length) {
      const kind = name === 'Bal' ? 'balance' : 'entry';
      this.#found.push({ kind, values: this.#part.values, statement });
      this.#part = undefined;
    } else if (statement !== undefined && name === 'Stmt' && this.#path.at(-2) === ROOT) {
      this.#found.push({ kind: 'end', statement, line: this.#parser.line });
      this.#statement = undefined;
    }
    this.#path.pop();
  }

  /** Keeps a value of the open element, or of an attribute of it, at its path below the part or the statement. */
  #keep(suffix: string, value: string): void {
    if (this.#part !== undefined) {
      this.#part.values.add(this.#path.slice(this.#part.depth).join('/') + suffix, value);
    } else if (this.#statement !== undefined) {
      const below = this.#path.lastIndexOf('Stmt') + 1;
      this.#statement.add(this.#path.slice(below).join('/') + suffix, value);
    }
  }
}
