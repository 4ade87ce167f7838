/** `quittance ledger …` */
import {
  CreateLedgerResponseSchema,
  LedgerCommandService,
} from '../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { LedgerQueryService } from '../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { idOf, one, text } from '../flags.js';
import { printPages } from '../pages.js';
import { printOne } from '../printer.js';
import { CALL_FLAGS, COMMAND_FLAGS, FRESHNESS_FLAGS, LIST_FLAGS } from '../shared-flags.js';
import { LEDGERS } from '../sheets/ledgers.js';
import { type Noun, verb } from '../verb.js';
import { printAnswer } from './answer.js';
import { METADATA_FLAG, metadataOf } from './fields.js';
import { CLOSE_PERIOD, REOPEN_PERIOD } from './period.js';

const create = verb({
  name: 'create',
  summary: 'create a ledger',
  positionals: { ledger: one('its id') },
  flags: {
    description: text('text', 'a text for people'),
    ...METADATA_FLAG,
    ...COMMAND_FLAGS,
    ...CALL_FLAGS,
  },
  examples: [
    ['quittance ledger create tour', 'a ledger of the name tour'],
    ['quittance ledger create tour --dry-run', 'whether it could be created'],
  ],
  run: async (session, { args: { ledger }, flags: { description = '', metadata } }) => {
    const { requestId, isDryRun: validateOnly } = session;
    const message = await session.send(
      LedgerCommandService.method.createLedger,
      { ledgerId: ledger, requestId, validateOnly, description, metadata: metadataOf(metadata) },
      ledger,
    );
    await printAnswer(session, LEDGERS, message.ledger, {
      schema: CreateLedgerResponseSchema,
      message,
      decided: message,
    });
    return undefined;
  },
});

const get = verb({
  name: 'get',
  summary: 'show a ledger',
  positionals: { ledger: idOf('ledger', one('its id')) },
  flags: { ...FRESHNESS_FLAGS, ...CALL_FLAGS },
  examples: [['quittance ledger get tour', 'when it was created, and its metadata']],
  run: async (session, { args: { ledger } }) => {
    const answer = await session.read(
      LedgerQueryService.method.getLedger,
      (consistency) => ({ ledgerId: ledger, consistency }),
      ledger,
    );
    if (answer.ledger !== undefined)
      await printOne(session.io, session.format, LEDGERS, { row: answer.ledger });
    session.sayAsOf(answer.asOf);
    return undefined;
  },
});

const list = verb({
  name: 'list',
  summary: 'list ledgers by id',
  positionals: {},
  flags: { prefix: text('text', 'ids that begin so'), ...LIST_FLAGS, ...FRESHNESS_FLAGS, ...CALL_FLAGS },
  examples: [
    ['quittance ledger list', 'the first 50'],
    ['quittance ledger list --prefix shop- --all -o id', 'the ids of all that begin with shop-'],
  ],
  run: async (session, { flags: { prefix = '' } }) => {
    await printPages(session, LEDGERS, async (page) => {
      const { ledgers, nextPageToken, asOf } = await session.read(
        LedgerQueryService.method.listLedgers,
        (consistency) => ({ consistency, ledgerIdPrefix: prefix, ...page }),
      );
      return { rows: ledgers, nextPageToken, asOf };
    });
    return undefined;
  },
});

export const LEDGER: Noun = {
  name: 'ledger',
  plural: 'ledgers',
  summary: 'tenants: nothing crosses ledgers',
  verbs: [create, get, list, CLOSE_PERIOD, REOPEN_PERIOD],
};
