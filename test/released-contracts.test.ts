/** What buf guards once contracts are released: each change here would break a client, a consumer or the reading of the log. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FieldOptionsSchema, FileDescriptorSetSchema, MessageOptionsSchema } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BUF = join(ROOT, 'node_modules/.bin/buf');

interface Finding {
  readonly type: string;
  readonly message: string;
}

let work: string;

/** Runs buf in the copy. */
function buf(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout, error } = spawnSync(BUF, args, { cwd: work, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, stdout };
}

/** Changes a file of the copy; what is replaced must be there. */
function change(path: string, ...replacements: readonly (readonly [from: string, to: string])[]): void {
  const file = join(work, 'proto/quittance', path);
  const changed = replacements.reduce(
    (text, [from, to]) => {
      expect(text).toContain(from);
      return text.replace(from, to);
    },
    readFileSync(file, 'utf8'),
  );
  writeFileSync(file, changed);
}

/** What buf has against the copy. */
function findings(): readonly Finding[] {
  const { stdout } = buf('breaking', '--against', 'released.binpb', '--error-format', 'json');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Finding);
}

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'quittance-contracts-'));
  cpSync(join(ROOT, 'proto'), join(work, 'proto'), { recursive: true });
  cpSync(join(ROOT, 'buf.yaml'), join(work, 'buf.yaml'));
  expect(buf('build', '--output', 'released.binpb').status).toBe(0);
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

test('contracts that only grow break nothing', () => {
  change('common/v1/money.proto', [
    '  int64 position = 8;\n',
    '  int64 position = 8;\n  // More.\n  string more = 9;\n',
  ]);
  change('common/v1/transaction.proto', [
    'DIRECTION_CREDIT = 2;\n',
    'DIRECTION_CREDIT = 2;\n  // Neither.\n  DIRECTION_NEITHER = 3;\n',
  ]);
  expect(findings()).toEqual([]);
});

test('what a client or a stored event relies on cannot be changed', () => {
  change(
    'event/v1/event.proto',
    // A field under another number.
    ['  int64 held_after = 3;', '  int64 held_after = 9;'],
    // A field of another type: the same bytes would say another amount.
    ['  sint64 delta = 2;', '  int64 delta = 2;'],
    // A field that is gone.
    ['  uint32 total_count = 3;', ''],
    // A field under another name, which is its name in JSON.
    ['  bytes fork_hash = 2;', '  bytes hash_at_fork = 2;'],
    // A kind of event that is gone.
    ['    PaymentExpired payment_expired = 43;\n', ''],
  );
  // A value that is gone; absence told from zero.
  change(
    'common/v1/transaction.proto',
    ['  FEE_PAYER_PAYEE = 2;', ''],
    ['  int64 expired = 9;', '  optional int64 expired = 9;'],
  );
  // A method that is gone, and the messages of it stay.
  change('query/v1/ledger_query_service.proto', [
    'rpc GetLedger(GetLedgerRequest) returns (GetLedgerResponse) {',
    'rpc ReadLedger(GetLedgerRequest) returns (GetLedgerResponse) {',
  ]);
  const said = findings().map(({ type, message }) => `${type}: ${message}`);
  for (const refusal of [
    /^FIELD_NO_DELETE: .*"held_after"/,
    /^FIELD_SAME_TYPE: .*"delta"/,
    /^FIELD_NO_DELETE: .*"total_count"/,
    /^FIELD_SAME_NAME: .*"fork_hash"/,
    /^FIELD_NO_DELETE: .*"payment_expired"/,
    /^ENUM_VALUE_NO_DELETE: .*"FeePayer"/,
    /^FIELD_SAME_CARDINALITY: .*"expired" on message "Payment"/,
    /^RPC_NO_DELETE: .*"GetLedger"/,
  ])
    expect(said).toContainEqual(expect.stringMatching(refusal));
});

/** Fields whose rules are wider than in the last release, by their full names. Emptied with each release. */
const WIDENED: readonly string[] = [];

/** The options of each message and field of Quittance in an image, rules of validation among them; `deprecated` left out. */
function optionsIn(image: string): ReadonlyMap<string, string> {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(image));
  const found = new Map<string, string>();
  for (const { package: name, messageType } of file) {
    if (!name.startsWith('quittance.')) continue;
    for (const message of messageType) {
      const type = `${name}.${message.name}`;
      const rules = message.options && toBinary(MessageOptionsSchema, message.options);
      found.set(type, Buffer.from(rules ?? []).toString('hex'));
      for (const { name: field, options } of message.field) {
        const own = options && toBinary(FieldOptionsSchema, { ...options, deprecated: false });
        found.set(`${type}.${field}`, Buffer.from(own ?? []).toString('hex'));
      }
    }
  }
  return found;
}

test('no rule of validation is another one than in the last release, unless it is known to be wider', () => {
  const released = optionsIn(join(ROOT, 'proto/released.binpb'));
  const today = optionsIn(join(work, 'released.binpb'));
  const changed = [...released].filter(([name, rules]) => today.get(name) !== rules).map(([name]) => name);
  expect(released.size).toBeGreaterThan(500);
  expect(changed.filter((name) => !WIDENED.includes(name))).toEqual([]);
});
