/** `quittance account …` */
import {
  AccountCommandService,
  CloseAccountResponseSchema,
  FreezeAccountResponseSchema,
  OpenAccountResponseSchema,
  UnfreezeAccountResponseSchema,
  UpdateAccountResponseSchema,
} from '../../../gen/quittance/command/v1/account_command_service_pb.js';
import { AccountType, FreezeScope } from '../../../gen/quittance/common/v1/account_pb.js';
import { AccountQueryService } from '../../../gen/quittance/query/v1/account_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { readAmount } from '../amounts.js';
import { choice, idOf, one, position, text, value, wordsOf } from '../flags.js';
import { given } from '../given.js';
import { currencyIn } from '../money.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, COMMAND_FLAGS, LEDGER_FLAGS } from '../shared-flags.js';
import { ACCOUNTS } from '../sheets/accounts.js';
import { type Noun, verb } from '../verb.js';
import { accountReads } from './account-reads.js';
import { printAnswer } from './answer.js';
import { METADATA_FLAG, metadataOf } from './fields.js';
import { LIMIT_FLAGS, limitsOf } from './limits.js';

const SHARED = { ...COMMAND_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS };
const VERSION_FLAG = {
  expectedVersion: value('number', 'refuse if the account has another version', position),
};
const PROFILE_FLAGS = {
  name: text('text', 'a name for people'),
  owner: text('text', 'your own number of the owner'),
  ...METADATA_FLAG,
};

const open = verb({
  name: 'open',
  summary: 'open an account',
  positionals: { account: one('its id'), currency: one('its currency, such as EUR') },
  flags: {
    type: choice('type', 'its type (default liability)', wordsOf<AccountType>(AccountType)),
    overdraft: text('amount', 'how far below zero it may go, such as 100.00'),
    ...PROFILE_FLAGS,
    ...LIMIT_FLAGS,
    ...SHARED,
  },
  examples: [
    ['quittance account open alice EUR', 'an account that may not go below zero'],
    ['quittance account open fees EUR --type revenue', 'an account of income'],
    ['quittance account open bob EUR --overdraft 100.00 --name "Bob B."', 'with an overdraft'],
    ['quittance account open card EUR --limit day=500.00 --limit day-count=10', 'with limits of each day'],
  ],
  run: async (session, { args: { account, currency }, flags }) => {
    const { type, overdraft = '0', name = '', owner = '', metadata } = flags;
    const limits = await limitsOf(session, flags.limit, flags.limitZone, currency);
    const message = await session.send(AccountCommandService.method.openAccount, {
      ...session.commandHead(),
      accountId: account,
      currency,
      type: type ?? AccountType.UNSPECIFIED,
      overdraftLimit: overdraft === '0' ? 0n : (await readAmount(session, overdraft, currency)).minorUnits,
      name,
      ownerReference: owner,
      metadata: metadataOf(metadata),
      ...given({ limits }),
    });
    const schema = OpenAccountResponseSchema;
    await printAnswer(session, ACCOUNTS, message.account, { schema, message, decided: message });
    return undefined;
  },
});

const update = verb({
  name: 'update',
  summary: 'change the name, owner, overdraft limit, metadata or limits; what is not named stays',
  positionals: { account: idOf('account', one('its id')) },
  flags: {
    overdraft: text('amount', 'the new limit with its currency, such as "100.00 EUR"'),
    ...PROFILE_FLAGS,
    ...LIMIT_FLAGS,
    ...VERSION_FLAG,
    ...SHARED,
  },
  examples: [
    ['quittance account update alice --name "Alice A."', 'only the name'],
    ["quittance account update alice --overdraft '50.00 EUR'", 'only the limit'],
    ['quittance account update card --limit none', 'no limits any more'],
  ],
  notes: ['Metadata and limits are replaced as a whole: name every one that is to stay.'],
  run: async (session, { args: { account }, flags }) => {
    const { name, owner, overdraft, metadata, expectedVersion } = flags;
    const fields = {
      name,
      owner_reference: owner,
      overdraft_limit: overdraft,
      metadata,
      limits: flags.limit,
    };
    const paths = Object.entries(fields).flatMap(([path, typed]) => (typed === undefined ? [] : [path]));
    if (paths.length === 0)
      throw new UsageError('name what to change: --name, --owner, --overdraft, --metadata or --limit');
    const overdraftLimit = overdraft === undefined ? 0n : await limitOf(session, account, overdraft);
    const currency = flags.limit === undefined ? '' : await currencyOf(session, account);
    const limits = await limitsOf(session, flags.limit, flags.limitZone, currency);
    const message = await session.send(AccountCommandService.method.updateAccount, {
      ...session.commandHead(),
      accountId: account,
      updateMask: { paths },
      name: name ?? '',
      ownerReference: owner ?? '',
      overdraftLimit,
      metadata: metadataOf(metadata),
      ...given({ expectedVersion, limits }),
    });
    const schema = UpdateAccountResponseSchema;
    await printAnswer(session, ACCOUNTS, message.account, { schema, message, decided: message });
    return undefined;
  },
});

/** The message carries minor units only: a limit in the digits of another currency would be another limit. */
async function limitOf(session: Session, accountId: string, typed: string): Promise<bigint> {
  const own = await currencyOf(session, accountId);
  const { currency, minorUnits } = await readAmount(session, typed, currencyIn(typed) ?? own);
  if (currency === own) return minorUnits;
  throw new UsageError(`${accountId} is kept in ${own}, not in ${currency}`);
}

async function currencyOf(session: Session, accountId: string): Promise<string> {
  const { ledger: ledgerId } = session;
  const method = AccountQueryService.method.getAccount;
  const { account } = await session.read(method, (consistency) => ({ ledgerId, accountId, consistency }));
  return account?.currency ?? '';
}

const freeze = verb({
  name: 'freeze',
  summary: 'let nothing out of an account, or neither out nor in',
  positionals: { account: idOf('account', one('its id')) },
  flags: {
    scope: choice('scope', 'what is blocked (default debits)', wordsOf<FreezeScope>(FreezeScope)),
    ...VERSION_FLAG,
    ...SHARED,
  },
  examples: [
    ['quittance account freeze alice', 'nothing goes out'],
    ['quittance account freeze alice --scope all', 'nothing goes out or in'],
  ],
  run: async (session, { args: { account }, flags: { scope, expectedVersion } }) => {
    const message = await session.send(AccountCommandService.method.freezeAccount, {
      ...session.commandHead(),
      accountId: account,
      scope: scope ?? FreezeScope.UNSPECIFIED,
      ...given({ expectedVersion }),
    });
    const schema = FreezeAccountResponseSchema;
    await printAnswer(session, ACCOUNTS, message.account, { schema, message, decided: message });
    return undefined;
  },
});

const unfreeze = verb({
  name: 'unfreeze',
  summary: 'end a freeze',
  positionals: { account: idOf('account', one('its id')) },
  flags: { ...VERSION_FLAG, ...SHARED },
  examples: [['quittance account unfreeze alice', 'money moves again']],
  run: async (session, { args: { account }, flags: { expectedVersion } }) => {
    const message = await session.send(AccountCommandService.method.unfreezeAccount, {
      ...session.commandHead(),
      accountId: account,
      ...given({ expectedVersion }),
    });
    const schema = UnfreezeAccountResponseSchema;
    await printAnswer(session, ACCOUNTS, message.account, { schema, message, decided: message });
    return undefined;
  },
});

const close = verb({
  name: 'close',
  summary: 'close an account that holds nothing, for ever',
  positionals: { account: idOf('account', one('its id')) },
  flags: { ...VERSION_FLAG, ...SHARED },
  examples: [['quittance account close alice --dry-run', 'whether it could be closed']],
  run: async (session, { args: { account }, flags: { expectedVersion } }) => {
    const message = await session.send(AccountCommandService.method.closeAccount, {
      ...session.commandHead(),
      accountId: account,
      ...given({ expectedVersion }),
    });
    const schema = CloseAccountResponseSchema;
    await printAnswer(session, ACCOUNTS, message.account, { schema, message, decided: message });
    return undefined;
  },
});

export const ACCOUNT: Noun = {
  name: 'account',
  plural: 'accounts',
  summary: 'accounts: open, freeze and close them, and see what they hold',
  verbs: [open, update, freeze, unfreeze, close, ...accountReads],
};
