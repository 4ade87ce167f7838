/** The auditor is tested against histories that were tampered with: each kind of harm is found, and a clean one passes. */
import { expect, test } from '@jest/globals';
import { audit } from './audit.js';
import type { AccountFacts, Attempt, History, LoggedEvent, SentCommand } from './history.js';

const facts = (credits: bigint, debits: bigint, version: bigint): AccountFacts => ({
  credits,
  debits,
  held: 0n,
  version,
});

const event = (
  position: bigint,
  requestId: string,
  accounts: Record<string, AccountFacts>,
  declined = false,
): LoggedEvent => ({
  position,
  requestId,
  ordinal: 0,
  declined,
  accounts: new Map(Object.entries(accounts)),
});

const answered = (sent_ms: number, position: bigint, said = 'posted'): Attempt => ({
  sent_ms,
  ended_ms: sent_ms + 10,
  outcome: { kind: 'answered', position, said, declined: false },
});

const unknown = (sent_ms: number): Attempt => ({
  sent_ms,
  ended_ms: sent_ms + 10,
  outcome: { kind: 'unknown', reason: 'UNAVAILABLE' },
});

const command = (requestId: string, ...attempts: Attempt[]): SentCommand => ({
  requestId,
  what: 'deposit',
  attempts,
});

const LOG = [
  event(1n, 'r1', { cash: facts(0n, 100n, 1n), alice: facts(100n, 0n, 1n) }),
  event(2n, 'r2', { alice: facts(100n, 30n, 2n), bob: facts(30n, 0n, 1n) }),
  event(3n, 'r3', { alice: facts(100n, 40n, 3n), bob: facts(40n, 0n, 2n) }),
];

const CLEAN: History = {
  log: LOG,
  commands: [
    command('r1', answered(0, 1n)),
    command('r2', unknown(20), answered(40, 2n)),
    command('r3', answered(60, 3n), answered(80, 3n)),
    command('r4', unknown(90)),
    command('r5', { sent_ms: 90, ended_ms: 95, outcome: { kind: 'refused', reason: 'ACCOUNT_NOT_FOUND' } }),
  ],
  balanceReads: [{ accountId: 'alice', required: 1n, asOf: 2n, state: facts(100n, 30n, 2n) }],
  transactionReads: [{ transactionId: 'r2', required: 2n, asOf: 2n, position: 2n }],
  balances: new Map([
    ['cash', facts(0n, 100n, 1n)],
    ['alice', facts(100n, 40n, 3n)],
    ['bob', facts(40n, 0n, 2n)],
  ]),
};

test('a clean history has no findings, and is counted', () => {
  expect(audit(CLEAN)).toEqual({
    findings: [],
    acknowledged: 3,
    open: 1,
    refused: 1,
    resolved: 1,
    reads: 2,
    events: 3,
  });
});

test('a command whose outcome was left open may be in the log', () => {
  const log = [...LOG, event(4n, 'r4', {})];
  expect(audit({ ...CLEAN, log }).findings).toEqual([]);
});

const tampered: [string, Partial<History>, RegExp][] = [
  [
    'an acknowledged command is lost',
    { log: LOG.slice(0, 2), balances: viewOf(2) },
    /r3 was acknowledged .* not in the log/,
  ],
  ['a command is doubled', { log: [...LOG, event(4n, 'r3', {})] }, /r3 is in the log 2 times/],
  [
    'a refused command is committed',
    { log: [...LOG, event(4n, 'r5', {})] },
    /r5 was refused, and is in the log/,
  ],
  [
    'an answer names another position',
    { commands: [command('r1', answered(0, 7n))] },
    /r1 is at position 1, and an answer says 7/,
  ],
  [
    'a resend is answered otherwise',
    { commands: [command('r1', answered(0, 1n), answered(20, 1n, 'declined'))] },
    /r1 was answered in two ways/,
  ],
  [
    'an answer hides a decline',
    { log: [event(1n, 'r1', {}, true), ...LOG.slice(1)] },
    /r1 is answered otherwise/,
  ],
  [
    'a command that was refused is answered later',
    {
      commands: [
        command('r1', answered(0, 1n), {
          sent_ms: 20,
          ended_ms: 25,
          outcome: { kind: 'refused', reason: 'ACCOUNT_IS_CLOSED' },
        }),
      ],
    },
    /r1 was answered once and refused once/,
  ],
  [
    'the log has two commands in another order than their callers saw',
    { commands: [command('r3', answered(0, 3n)), command('r1', answered(50, 1n))] },
    /r1 was sent after r3 was answered, and stands before it/,
  ],
  ['positions do not rise', { log: [...LOG, event(3n, '', {})] }, /goes from position 3 to 3/],
  [
    'money appears',
    { log: [...LOG, event(4n, '', { bob: facts(41n, 0n, 3n) })] },
    /after position 4 all accounts together hold 1/,
  ],
  [
    'a version goes back',
    { log: [...LOG, event(4n, '', { bob: facts(40n, 0n, 1n) })] },
    /bob goes back to version 1/,
  ],
  [
    'the view differs from the log',
    { balances: new Map([...CLEAN.balances, ['bob', facts(41n, 0n, 2n)]]) },
    /the balances view has credits 41/,
  ],
  [
    'the view lacks an account',
    { balances: new Map([...CLEAN.balances].slice(1)) },
    /the balances view has no account cash/,
  ],
  [
    'a read is older than its token',
    { balanceReads: [{ accountId: 'alice', required: 3n, asOf: 2n, state: facts(100n, 30n, 2n) }] },
    /is as of 2, and its token asked for 3/,
  ],
  [
    'a read says something else than the log at its position',
    { balanceReads: [{ accountId: 'alice', required: 1n, asOf: 2n, state: facts(100n, 40n, 3n) }] },
    /a read of alice as of 2 said .*, the log says credits 100, debits 30/,
  ],
  [
    'a transaction is not found by its own token',
    { transactionReads: [{ transactionId: 'r2', required: 2n, asOf: 2n, position: undefined }] },
    /transaction r2 of position 2 was read as of -1/,
  ],
];

test.each(tampered)('it is found that %s', (_what, tampering, finding) => {
  const { findings } = audit({ ...CLEAN, ...tampering });
  expect(findings.map(({ text }) => text).join('\n')).toMatch(finding);
});

test('a finding says of which kind it is, and when its command was answered', () => {
  const lost = audit({ ...CLEAN, log: LOG.slice(0, 2), balances: viewOf(2) }).findings;
  expect(lost).toMatchObject([{ kind: 'lost', at_ms: 70 }]);
  const doubled = audit({ ...CLEAN, log: [...LOG, event(4n, 'r3', {})] }).findings;
  expect(doubled).toMatchObject([{ kind: 'doubled', at_ms: 70 }]);
  const view = audit({
    ...CLEAN,
    balances: new Map([...CLEAN.balances, ['bob', facts(41n, 0n, 2n)]]),
  }).findings;
  expect(view).toMatchObject([{ kind: 'wrong', at_ms: undefined }]);
});

/** The view as of the first events. */
function viewOf(count: number): ReadonlyMap<string, AccountFacts> {
  return new Map(LOG.slice(0, count).flatMap(({ accounts }) => [...accounts]));
}
