/** `quittance asset …` */
import { InvalidArgumentError } from 'commander';
import {
  LedgerCommandService,
  RegisterAssetResponseSchema,
} from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { one, text, value } from '../flags.js';
import { printPages } from '../pages.js';
import { CALL_FLAGS, COMMAND_FLAGS, FRESHNESS_FLAGS, LEDGER_FLAGS, LIST_FLAGS } from '../shared-flags.js';
import { ASSETS } from '../sheets/assets.js';
import { type Noun, verb } from '../verb.js';
import { printAnswer } from './answer.js';

const register = verb({
  name: 'register',
  summary: 'let a ledger use a unit that ISO 4217 does not list; it is never changed or removed',
  positionals: { code: one('what amounts give as their currency, such as BTC') },
  flags: {
    exponent: value('digits', 'how many decimal digits it has, 0 to 18', (typed) => {
      if (/^\d{1,2}$/.test(typed)) return Number(typed);
      throw new InvalidArgumentError('It is a whole number, 0 to 18.');
    }),
    name: text('text', 'its name, for people'),
    ...COMMAND_FLAGS,
    ...LEDGER_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance asset register BTC --exponent 8 --name Bitcoin', 'then: account open alice:btc BTC'],
    ['quittance asset register POINTS --exponent 0 --name "Loyalty points" --dry-run', 'whether it could be'],
  ],
  run: async (session, { args: { code }, flags: { exponent, name } }) => {
    if (exponent === undefined || name === undefined) throw new UsageError('name both --exponent and --name');
    const request = { ...session.commandHead(), code, exponent, name };
    const message = await session.send(LedgerCommandService.method.registerAsset, request);
    const schema = RegisterAssetResponseSchema;
    await printAnswer(session, ASSETS, message.asset, { schema, message, decided: message });
    return undefined;
  },
});

const list = verb({
  name: 'list',
  summary: 'list the currencies that a ledger uses, with what it registered',
  positionals: {},
  flags: { ...LIST_FLAGS, ...FRESHNESS_FLAGS, ...LEDGER_FLAGS, ...CALL_FLAGS },
  examples: [['quittance asset list', 'codes and their decimal digits']],
  run: async (session) => {
    const { ledger: ledgerId } = session;
    await printPages(session, ASSETS, async (page) => {
      const { assets, nextPageToken, asOf } = await session.read(
        LedgerQueryService.method.listAssets,
        (consistency) => ({ ledgerId, consistency, ...page }),
      );
      return { rows: assets, nextPageToken, asOf };
    });
    return undefined;
  },
});

export const ASSET: Noun = {
  name: 'asset',
  plural: 'assets',
  summary: 'units of a ledger beside the currencies of ISO 4217',
  verbs: [register, list],
};
