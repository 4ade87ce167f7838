/** How do I call this? Every unary method, as JSON, with the lines that do the same from a terminal. */
import { create, type DescMethod, type DescMethodUnary, type JsonValue, toJson } from '@bufbuild/protobuf';
import { fromJson, isMessage } from '@bufbuild/protobuf';
import { useTransport } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { v7 as uuidV7 } from 'uuid';
import { AccountCommandService } from '../../../../gen/quittance/command/v1/account_command_service_pb.js';
import { LedgerCommandService } from '../../../../gen/quittance/command/v1/ledger_command_service_pb.js';
import { ScheduleService } from '../../../../gen/quittance/command/v1/schedule_service_pb.js';
import { TransactionCommandService } from '../../../../gen/quittance/command/v1/transaction_command_service_pb.js';
import { ProjectionService } from '../../../../gen/quittance/ops/v1/projection_service_pb.js';
import { SystemService } from '../../../../gen/quittance/ops/v1/system_service_pb.js';
import { WebhookService } from '../../../../gen/quittance/ops/v1/webhook_service_pb.js';
import { AccountQueryService } from '../../../../gen/quittance/query/v1/account_query_service_pb.js';
import { EventQueryService } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { LedgerQueryService } from '../../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import { ReportQueryService } from '../../../../gen/quittance/query/v1/report_query_service_pb.js';
import { TransactionQueryService } from '../../../../gen/quittance/query/v1/transaction_query_service_pb.js';
import { CopyAs } from '../parts/copy-lines.js';
import { FailureNote } from '../parts/text.js';
import { setParams, useRoute } from '../state/route.js';
import { useMay } from '../state/session.js';

const SERVICES = [
  LedgerQueryService,
  AccountQueryService,
  TransactionQueryService,
  EventQueryService,
  ReportQueryService,
  LedgerCommandService,
  AccountCommandService,
  TransactionCommandService,
  ScheduleService,
  ProjectionService,
  WebhookService,
  SystemService,
];

/** A browser has no stream of requests, and one of answers is watched on the pages. */
function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

const METHODS: readonly DescMethodUnary[] = SERVICES.flatMap(({ methods }) => methods.filter(isUnary));

interface Shown {
  readonly json: JsonValue;
  readonly took_ms: number;
}

export function PlaygroundPage() {
  const { ledger, params } = useRoute();
  const may = useMay();
  const offered = METHODS.filter((method) => may(method, ledger));
  const chosen = offered.find((method) => nameOf(method) === params.get('method')) ?? offered[0];
  return (
    <>
      <div className="title">
        <h1>Playground</h1>
        <label>
          Method{' '}
          <select
            value={chosen === undefined ? '' : nameOf(chosen)}
            onChange={({ target }) => setParams({ method: target.value })}
          >
            {offered.map((method) => (
              <option key={nameOf(method)}>{nameOf(method)}</option>
            ))}
          </select>
        </label>
      </div>
      {chosen === undefined ? null : <Try key={nameOf(chosen)} method={chosen} ledger={ledger} />}
    </>
  );
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function Try({ method, ledger }: { readonly method: DescMethodUnary; readonly ledger: string }) {
  const transport = useTransport();
  const queries = useQueryClient();
  const [text, setText] = useState(() => exampleOf(method, ledger));
  const [answer, setAnswer] = useState<Shown>();
  const [error, setError] = useState<Error | null>(null);
  const json = parsed(text);
  const call = async () => {
    setError(null);
    setAnswer(undefined);
    const request = fromJson(method.input, json ?? null);
    const began_ms = performance.now();
    const { message } = await transport.unary(method, undefined, undefined, undefined, request);
    const took_ms = performance.now() - began_ms;
    if (isMessage(message)) setAnswer({ json: toJson(method.output, message), took_ms });
    await queries.invalidateQueries();
  };
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        call().catch((failure: unknown) =>
          setError(failure instanceof Error ? failure : new Error(String(failure))),
        );
      }}
    >
      <label className="field">
        Request, as JSON
        <textarea
          spellCheck={false}
          value={text}
          aria-invalid={json === undefined}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <div className="buttons">
        <button type="submit" className="primary" disabled={json === undefined}>
          Call
        </button>
      </div>
      <FailureNote error={error} />
      {answer === undefined ? null : (
        <section className="part" aria-label="Answer">
          <h2>Answer, after {Math.round(answer.took_ms)} ms</h2>
          <pre tabIndex={0}>{JSON.stringify(answer.json, null, 2)}</pre>
        </section>
      )}
      {json === undefined ? null : <CopyAs method={method} json={json} />}
    </form>
  );
}

/** All fields of the message, empty, with the ledger that is open and a fresh request id. */
function exampleOf(method: DescMethodUnary, ledger: string): string {
  const json = toJson(method.input, create(method.input), { alwaysEmitImplicit: true });
  const known: Readonly<Record<string, JsonValue>> = { ledgerId: ledger, requestId: uuidV7() };
  const entries =
    typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json) : [];
  return JSON.stringify(
    Object.fromEntries(entries.map(([name, value]) => [name, known[name] ?? value])),
    null,
    2,
  );
}

function parsed(text: string): JsonValue | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return isJson(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

/** What JSON.parse gives is JSON: this says so to the types. */
function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}
