/** The drawer of actions: a form, a preview of what would happen now, then the sending of exactly that. */
import type { JsonObject } from '@bufbuild/protobuf';
import { skipToken, useTransport } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { v7 as uuidV7 } from 'uuid';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { FailureNote } from '../parts/text.js';
import { CopyAs } from '../parts/copy-lines.js';
import { actionStore } from '../state/actions.js';
import { type Answer, sendCommand } from '../state/command.js';
import { useExponents } from '../state/exponents.js';
import { noteWrite, useRead } from '../state/reads.js';
import { goTo, linkIn, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';
import { useStore } from '../state/store.js';
import { type Action, ACTIONS } from './catalogue.js';
import { accountsBegunSo, Fields } from './fields.js';
import { type FormValues, requestJson } from './form-values.js';
import { type Before, balancesBefore, Effect } from './effect.js';

export function ActionDrawer() {
  const open = useStore(actionStore);
  const dialog = useRef<HTMLDialogElement>(null);
  const { ledger, page, id } = useRoute();
  const may = useMay();
  // A form is of the page on which it was opened.
  useEffect(() => {
    actionStore.set(undefined);
  }, [ledger, page, id]);
  const offered = ACTIONS.filter(({ method }) => may(method, ledger));
  const action = offered.find(({ id }) => id === open?.id);
  useEffect(() => {
    if (action !== undefined) dialog.current?.showModal();
    else dialog.current?.close();
  }, [action]);
  if (open === undefined || action === undefined) return null;
  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-label={action.title}
      onClose={() => actionStore.set(undefined)}
    >
      <div className="part">
        <div className="title">
          <label>
            Do{' '}
            <select
              value={action.id}
              onChange={({ target }) => actionStore.set({ id: target.value, preset: {} })}
            >
              {offered.map(({ id, title }) => (
                <option key={id} value={id}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            className="plain end"
            aria-label="Close"
            onClick={() => actionStore.set(undefined)}
          >
            ✕
          </button>
        </div>
        <ActionForm
          key={`${action.id} ${JSON.stringify(open.preset)}`}
          action={action}
          preset={open.preset}
        />
      </div>
    </dialog>
  );
}

/** How far the sending is. What would be sent keeps its id while the fields stay, so that sending it twice does it once. */
interface Progress {
  readonly preview?: Answer;
  readonly before?: readonly Before[];
  readonly sent?: Answer;
  readonly error?: Error;
}

/** The state of a form: what is typed, what is wrong with it, what was previewed and sent. */
function useForm(action: Action, preset: FormValues) {
  const { ledger } = useRoute();
  const transport = useTransport();
  const exponentOf = useExponents();
  const queries = useQueryClient();
  const [values, setValues] = useState(preset);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const [requestId, setRequestId] = useState(() => uuidV7());
  const [draft, setDraft] = useState<JsonObject>();
  const [progress, setProgress] = useState<Progress>({});
  const change = (name: string, value: string) => {
    setValues((present) => ({ ...present, [name]: value }));
    // Another body is another command. One that was sent keeps its id for itself.
    if (progress.sent !== undefined) setRequestId(uuidV7());
    setDraft(undefined);
    setProgress({});
  };
  const preview = async () => {
    const { json, problems: found } = requestJson(action, values, exponentOf, preset);
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    const next = { ledgerId: ledger, requestId, ...json };
    const answer = await sendCommand(transport, action.method, { ...next, validateOnly: true });
    const before = await balancesBefore(transport, ledger, answer.accounts);
    setDraft(next);
    setProgress({ preview: answer, before });
  };
  const send = async () => {
    if (draft === undefined) return;
    const sent = await sendCommand(transport, action.method, draft);
    const written = typeof draft['ledgerId'] === 'string' ? draft['ledgerId'] : ledger;
    noteWrite(written, sent.consistencyToken);
    setProgress(({ error: _settled, ...present }) => ({ ...present, sent }));
    if (written !== ledger) goTo(linkIn(written, 'overview'));
    await queries.invalidateQueries();
  };
  const orFail = (done: Promise<void>) => {
    done.catch((error: unknown) => {
      setProgress((present) => ({
        ...present,
        error: error instanceof Error ? error : new Error(String(error)),
      }));
    });
  };
  return {
    values,
    problems,
    requestId,
    draft,
    progress,
    change,
    preview: () => orFail(preview()),
    send: () => orFail(send()),
  };
}

/** The account that was typed first says the currency, as long as no other one is typed. */
function useCurrencyOfAccount(
  { fields }: Action,
  values: FormValues,
  change: (name: string, value: string) => void,
): void {
  const { ledger } = useRoute();
  const typed = values[fields.find(({ kind }) => kind === 'account')?.name ?? ''] ?? '';
  const money = fields.find(({ kind }) => kind === 'money');
  const key = money === undefined ? 'currency' : `${money.name}.currency`;
  const isWanted =
    money !== undefined || fields.some(({ name, isLocal }) => name === key && isLocal === true);
  const { data } = useRead(
    AccountQueryService.method.listAccounts,
    isWanted && ledger !== '' && typed !== '' ? accountsBegunSo(ledger, typed) : skipToken,
    false,
  );
  const currency = data?.accounts.find(({ accountId }) => accountId === typed)?.currency;
  const isEmpty = (values[key] ?? '') === '';
  useEffect(() => {
    if (currency !== undefined && isEmpty) change(key, currency);
    // Only another account says another currency: one that was emptied by hand stays empty.
  }, [currency, typed]);
}

function ActionForm({ action, preset }: { readonly action: Action; readonly preset: FormValues }) {
  const { values, problems, requestId, draft, progress, change, preview, send } = useForm(action, preset);
  useCurrencyOfAccount(action, values, change);
  return (
    <form
      className="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        preview();
      }}
    >
      <Fields fields={action.fields} values={values} problems={problems} onChange={change} />
      <div className="buttons">
        <button type="submit" className={draft === undefined ? 'primary' : undefined}>
          Preview
        </button>
        <button type="button" className="primary" disabled={draft === undefined} onClick={send}>
          {progress.sent === undefined ? 'Send' : 'Send again'}
        </button>
        {progress.sent === undefined ? null : (
          <button type="button" onClick={() => actionStore.set(undefined)}>
            Done
          </button>
        )}
      </div>
      <FailureNote error={progress.error ?? null} />
      <Effect before={progress.before ?? []} preview={progress.preview} sent={progress.sent} />
      {draft === undefined ? null : <CopyAs method={action.method} json={draft} />}
      <p className="muted small">
        Request id <span className="mono">{requestId}</span>: sent again, it only repeats its answer.
      </p>
    </form>
  );
}
