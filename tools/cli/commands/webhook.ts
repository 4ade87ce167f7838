/** `quittance webhook …` */
import { randomBytes } from 'node:crypto';
import { create as messageOf, type JsonObject } from '@bufbuild/protobuf';
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt';
import {
  type Webhook,
  WebhookSchema,
  WebhookService,
} from '../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { EventKind } from '../../../gen/quittance/query/v1/event_query_service_pb.js';
import { UsageError } from '../../../lib/process/command-line.js';
import { choice, duration_s, idOf, one, position, repeated, text, toggle, value, wordsOf } from '../flags.js';
import { say } from '../io.js';
import { printPages } from '../pages.js';
import { printList, printOne } from '../printer.js';
import type { Session } from '../session.js';
import { CALL_FLAGS, LEDGER_FLAGS, LIST_FLAGS } from '../shared-flags.js';
import { jsonOf } from '../sheet.js';
import { DELIVERIES, WEBHOOKS } from '../sheets/webhooks.js';
import { type Noun, verb } from '../verb.js';
import { from } from './answer.js';
import { CONFIRM_FLAG, confirm } from './confirm.js';

const methods = WebhookService.method;
const NEW_ID = { webhook: one('the name of the webhook in its ledger') };
const ID = { webhook: idOf('webhook', NEW_ID.webhook) };
const FLAGS = { ...LEDGER_FLAGS, ...CALL_FLAGS };
const KIND = choice('kind', 'only events of this kind', wordsOf<EventKind>(EventKind));
const SECRET_BYTES = 32;

const CHOICE_FLAGS = {
  kind: { ...repeated('kind', KIND.help, KIND.read), choices: KIND.choices ?? [] },
  account: idOf(
    'account',
    repeated('account', 'only events that change this account', (typed) => typed),
  ),
  description: text('text', 'what it is for'),
  retry: value('duration', 'for how long an event is retried, such as 30s, 12h or 3d (default)', duration_s),
};

/** Made here: a call that is sent again after its answer was lost sets the same one. */
function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

async function print(session: Session, webhook: Webhook | undefined, secret?: string): Promise<undefined> {
  if (webhook === undefined) throw new Error('an answer has the webhook');
  const json = jsonOf(WebhookSchema, webhook) as JsonObject;
  const whole: JsonObject = secret === undefined ? json : { webhook: json, secret };
  await printOne(session.io, session.format, WEBHOOKS, { row: webhook, whole });
  if (secret !== undefined) say(session.io, `its secret, which is not shown again: ${secret}`);
  return undefined;
}

const create = verb({
  name: 'create',
  summary: 'have the events of a ledger posted to a URL, signed; its secret is shown once',
  positionals: { ...NEW_ID, url: one('where to, https') },
  flags: {
    ...CHOICE_FLAGS,
    from: value('position', 'begin there (default: with what comes)', position),
    ...FLAGS,
  },
  examples: [
    ['quittance webhook create orders https://orders.example.com/hook', 'what comes from now on'],
    ['quittance webhook create all https://example.com/hook --from 0', 'all that there is, and what comes'],
  ],
  run: async (session, { args: { webhook: webhookId, url }, flags }) => {
    const { kind, account, description = '', retry: retryPeriodSeconds, from: startPosition } = flags;
    const secret = newSecret();
    const answer = await session.call('ops', methods.createWebhook, {
      ledgerId: session.ledger,
      webhookId,
      url,
      description,
      secret,
      kinds: [...(kind ?? [])],
      accountIds: [...(account ?? [])],
      ...(retryPeriodSeconds === undefined ? {} : { retryPeriodSeconds }),
      ...(startPosition === undefined ? {} : { startPosition }),
    });
    return print(session, answer.webhook, secret);
  },
});

const list = verb({
  name: 'list',
  summary: 'list the webhooks of a ledger: how far, and what fails',
  positionals: {},
  flags: FLAGS,
  examples: [['quittance webhook list', 'all of the ledger']],
  run: async (session) => {
    const request = { ledgerId: session.ledger };
    const { webhooks } = await session.call('ops', methods.listWebhooks, request);
    await printList(session.io, session.format, WEBHOOKS, from(webhooks));
    return undefined;
  },
});

const get = verb({
  name: 'get',
  summary: 'show a webhook: where it is, and what fails',
  positionals: ID,
  flags: FLAGS,
  examples: [['quittance webhook get orders', 'now']],
  run: async (session, { args: { webhook: webhookId } }) => {
    const request = { ledgerId: session.ledger, webhookId };
    return print(session, (await session.call('ops', methods.getWebhook, request)).webhook);
  },
});

const update = verb({
  name: 'update',
  summary: 'change where a webhook goes, what it sends, or for how long it retries',
  positionals: ID,
  flags: { url: text('url', 'where to, https'), ...CHOICE_FLAGS, ...FLAGS },
  examples: [
    ['quittance webhook update orders --url https://new.example.com/hook', 'what failed is sent there'],
  ],
  run: async (session, { args: { webhook: webhookId }, flags }) => {
    const { url, description, kind, account, retry: retryPeriodSeconds } = flags;
    const fields = {
      url,
      description,
      kinds: kind,
      account_ids: account,
      retry_period_seconds: retryPeriodSeconds,
    };
    const paths = Object.entries(fields).flatMap(([name, given]) => (given === undefined ? [] : [name]));
    if (paths.length === 0) throw new UsageError('name what to change; see --help');
    const { webhook } = await session.call('ops', methods.updateWebhook, {
      ledgerId: session.ledger,
      webhookId,
      url: url ?? '',
      description: description ?? '',
      kinds: [...(kind ?? [])],
      accountIds: [...(account ?? [])],
      updateMask: messageOf(FieldMaskSchema, { paths }),
      ...(retryPeriodSeconds === undefined ? {} : { retryPeriodSeconds }),
    });
    return print(session, webhook);
  },
});

const stop = verb({
  name: 'pause',
  summary: 'send nothing until it is resumed; its place is kept',
  positionals: ID,
  flags: { reason: text('text', 'why, for those who find it paused'), ...FLAGS },
  examples: [['quittance webhook pause orders --reason "the receiver moves"', 'nothing is lost meanwhile']],
  run: async (session, { args: { webhook: webhookId }, flags: { reason = '' } }) => {
    const request = { ledgerId: session.ledger, webhookId, reason };
    return print(session, (await session.call('ops', methods.pauseWebhook, request)).webhook);
  },
});

const resume = verb({
  name: 'resume',
  summary: 'go on at once, after a pause or while it waits for its next attempt',
  positionals: ID,
  flags: FLAGS,
  examples: [['quittance webhook resume orders', 'it goes on where it was']],
  run: async (session, { args: { webhook: webhookId } }) => {
    const request = { ledgerId: session.ledger, webhookId };
    return print(session, (await session.call('ops', methods.resumeWebhook, request)).webhook);
  },
});

const remove = verb({
  name: 'delete',
  summary: 'remove a webhook with its place and its parked deliveries',
  positionals: ID,
  flags: { ...CONFIRM_FLAG, ...FLAGS },
  examples: [['quittance webhook delete orders --yes', 'without asking']],
  run: async (session, { args: { webhook: webhookId }, flags: { yes } }) => {
    await confirm(session.io, `Delete the webhook ${webhookId}, its place and its parked deliveries?`, yes);
    await session.call('ops', methods.deleteWebhook, { ledgerId: session.ledger, webhookId });
    return undefined;
  },
});

const rotate = verb({
  name: 'rotate-secret',
  summary: 'make another secret; requests carry the signatures of both for a time',
  positionals: ID,
  flags: { overlap: value('duration', 'for how long, such as 2h (default: a day)', duration_s), ...FLAGS },
  examples: [['quittance webhook rotate-secret orders --overlap 2h', 'two hours to change the receiver']],
  run: async (session, { args: { webhook: webhookId }, flags: { overlap: overlapSeconds } }) => {
    const secret = newSecret();
    const { webhook } = await session.call('ops', methods.rotateWebhookSecret, {
      ledgerId: session.ledger,
      webhookId,
      secret,
      ...(overlapSeconds === undefined ? {} : { overlapSeconds }),
    });
    return print(session, webhook, secret);
  },
});

const deliveries = verb({
  name: 'deliveries',
  summary: 'list the deliveries that failed: the one that is retried, and those that are parked',
  positionals: ID,
  flags: { ...LIST_FLAGS, ...FLAGS },
  examples: [['quittance webhook deliveries orders', 'with the reasons']],
  run: async (session, { args: { webhook: webhookId } }) => {
    const { ledger: ledgerId } = session;
    await printPages(session, DELIVERIES, async (page) => {
      const request = { ledgerId, webhookId, ...page };
      const answer = await session.call('ops', methods.listWebhookDeliveries, request);
      return { rows: answer.deliveries, nextPageToken: answer.nextPageToken, asOf: undefined };
    });
    return undefined;
  },
});

const retry = verb({
  name: 'retry',
  summary: 'send parked deliveries once more',
  positionals: ID,
  flags: {
    position: value('position', 'the one of the event at this position', position),
    all: toggle('all of the webhook'),
    ...FLAGS,
  },
  examples: [['quittance webhook retry orders --all', 'before what comes next']],
  run: async (session, { args: { webhook: webhookId }, flags: { position: at, all } }) => {
    if ((at === undefined) === (all === undefined)) throw new UsageError('name one of --position and --all');
    const target =
      at === undefined ? ({ case: 'all', value: true } as const) : ({ case: 'position', value: at } as const);
    const request = { ledgerId: session.ledger, webhookId, target };
    const { requestedCount, webhook } = await session.call('ops', methods.retryWebhookDelivery, request);
    say(session.io, `${String(requestedCount)} deliveries are sent once more`);
    return print(session, webhook);
  },
});

const replay = verb({
  name: 'replay',
  summary: 'send everything from a position on once more, under the same ids',
  positionals: ID,
  flags: { from: value('position', 'the first event to send', position), ...CONFIRM_FLAG, ...FLAGS },
  examples: [['quittance webhook replay orders --from 18231 --yes', 'without asking']],
  run: async (session, { args: { webhook: webhookId }, flags: { from: startPosition, yes } }) => {
    if (startPosition === undefined) throw new UsageError('name the first event to send: --from POSITION');
    await confirm(session.io, `Send everything of ${webhookId} from ${String(startPosition)} on again?`, yes);
    const request = { ledgerId: session.ledger, webhookId, startPosition };
    return print(session, (await session.call('ops', methods.replayWebhook, request)).webhook);
  },
});

export const WEBHOOK: Noun = {
  name: 'webhook',
  plural: 'webhooks',
  summary: 'the events of a ledger posted to a URL',
  verbs: [create, list, get, update, stop, resume, remove, rotate, deliveries, retry, replay],
};
