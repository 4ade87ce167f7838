/** The line on top: ledger, search, as of when, live or paused, zone, look, the last proof, who is here. */
import { type SubmitEvent, useState } from 'react';
import {
  GetLedgerRequestSchema,
  LedgerQueryService,
} from '../../../../gen/quittance/query/v1/ledger_query_service_pb.js';
import type { Ledger } from '../../../../gen/quittance/common/v1/transaction_pb.js';
import { EventQueryService } from '../../../../gen/quittance/query/v1/event_query_service_pb.js';
import { timestampOfMicros } from '../events.js';
import { skipToken, useTransport } from '@connectrpc/connect-query';
import { create } from '@bufbuild/protobuf';
import { countText } from '../numbers.js';
import { failureOf } from '../state/errors.js';
import { pinOf } from '../state/pin-of.js';
import { densityStore, isZone, themeStore, USUAL_ZONES, zoneStore } from '../state/preferences.js';
import { liveStore, useFreshness, usePin, useRead } from '../state/reads.js';
import { goTo, linkIn, setParams, useRoute } from '../state/route.js';
import { logOut, settingsStore, useCaller, useMay } from '../state/session.js';
import { useStore } from '../state/store.js';
import { ACTIONS } from '../actions/catalogue.js';
import { openAction } from '../state/actions.js';
import { Time } from '../parts/text.js';
import { ProofLight } from './proof-light.js';
import { linkOfSearch } from './search.js';

export function Header({ ledgers }: { readonly ledgers: readonly Ledger[] }) {
  const { ledger } = useRoute();
  const { isReadOnly } = useStore(settingsStore);
  return (
    <header>
      <span className="brand">Quittance</span>
      <LedgerPicker ledgers={ledgers} />
      {ledger === '' ? null : <Search />}
      {ledger === '' ? null : <AsOfChip />}
      <LiveSwitch />
      {ledger === '' ? null : <ProofLight ledger={ledger} />}
      {isReadOnly ? <span className="chip">read-only</span> : null}
      <NewButton />
      <ZoneSwitch />
      <LookSwitches />
      <Caller />
    </header>
  );
}

function LedgerPicker({ ledgers }: { readonly ledgers: readonly Ledger[] }) {
  const { ledger, page } = useRoute();
  const ids = ledgers.map(({ ledgerId }) => ledgerId);
  const isList = !['transaction', 'account', 'payment', 'event', 'schedule'].includes(page);
  return (
    <select
      aria-label="Ledger"
      value={ledger}
      onChange={({ target }) => goTo(linkIn(target.value, isList ? page : 'overview'))}
    >
      {ledger === '' || ids.includes(ledger) ? null : <option value={ledger}>{ledger}</option>}
      {ids.length === 0 && ledger === '' ? <option value="">no ledger yet</option> : null}
      {ids.map((id) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  );
}

function Search() {
  const { ledger } = useRoute();
  const transport = useTransport();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const find = async () => {
    setProblem('');
    if (text.trim() === '') return;
    goTo(await linkOfSearch(transport, ledger, text));
    setText('');
  };
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        find().catch((error: unknown) => setProblem(failureOf(error).message));
      }}
    >
      <input
        id="search"
        aria-label="Search"
        placeholder="Search: an id, a position, an account, a reference"
        style={{ width: '100%' }}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      {problem === '' ? null : (
        <span className="bad small" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}

/** Which moment the pages show. A click pins them to a position or a time, another one lets them go. */
function AsOfChip() {
  const { ledger } = useRoute();
  const pin = usePin();
  const consistency = useFreshness();
  const request = create(GetLedgerRequestSchema, { ledgerId: ledger, consistency });
  const { data } = useRead(LedgerQueryService.method.getLedger, ledger === '' ? skipToken : request);
  const [typed, setTyped] = useState<string>();
  const head = data?.asOf?.position ?? 0n;
  if (typed !== undefined) return <PinForm began={typed} onDone={() => setTyped(undefined)} />;
  return pin === undefined ? (
    <button
      type="button"
      id="as-of"
      className="chip"
      title="Pin all pages to a position or a time"
      onClick={() => setTyped(String(head))}
    >
      as of {countText(head)} · <Time at={data?.asOf?.time} />
    </button>
  ) : (
    <button
      type="button"
      id="as-of"
      className="chip pinned"
      title="Go back to now"
      onClick={() => setParams({ at: undefined })}
    >
      pinned at {countText(pin)}
      <PinnedTime pin={pin} /> ✕
    </button>
  );
}

/** When the last event was recorded that the pinned pages take into account. */
function PinnedTime({ pin }: { readonly pin: bigint }) {
  const { ledger } = useRoute();
  const until = { ledgerId: ledger, endPosition: pin + 1n, descending: true, pageSize: 1 };
  const { data } = useRead(EventQueryService.method.listEvents, ledger === '' ? skipToken : until, false);
  const micros = data?.events[0]?.event?.recordedTimeMicros;
  return micros === undefined ? null : (
    <>
      {' · '}
      <Time at={timestampOfMicros(micros)} />
    </>
  );
}

function PinForm({ began, onDone }: { readonly began: string; readonly onDone: () => void }) {
  const { ledger } = useRoute();
  const transport = useTransport();
  const [typed, setTyped] = useState(began);
  const [problem, setProblem] = useState('');
  const pin = async () => {
    const position = await pinOf(transport, ledger, typed, new Date());
    setParams({ at: String(position) });
    onDone();
  };
  return (
    <form
      className="chip"
      onKeyDown={({ key }) => {
        if (key === 'Escape') onDone();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        pin().catch((error: unknown) => setProblem(failureOf(error).message));
      }}
    >
      <label title="18231, 2026-11-27T10:00Z, 2026-11-27 or -2h">
        at position or time{' '}
        <input
          size={17}
          value={typed}
          autoFocus
          onFocus={({ target }) => target.select()}
          onChange={({ target }) => {
            setTyped(target.value);
            setProblem('');
          }}
        />
      </label>
      <button type="submit" className="plain">
        pin
      </button>
      <span className="muted small">a day: before it began</span>
      {problem === '' ? null : (
        <span className="bad" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}

function LiveSwitch() {
  const isLive = useStore(liveStore);
  return (
    <button type="button" className="chip" aria-pressed={isLive} onClick={() => liveStore.set(!isLive)}>
      {isLive ? <span className="good">● live</span> : <span className="calm">‖ paused</span>}
    </button>
  );
}

function ZoneSwitch() {
  const zone = useStore(zoneStore);
  const [isTyping, setTyping] = useState(false);
  if (isTyping) {
    return (
      <input
        aria-label="Time zone"
        placeholder="Europe/Berlin"
        size={14}
        autoFocus
        onBlur={() => setTyping(false)}
        onChange={({ target }) => {
          if (!target.value.includes('/') || !isZone(target.value)) return;
          zoneStore.set(target.value);
          setTyping(false);
        }}
      />
    );
  }
  const zones = [...new Set([...USUAL_ZONES, zone])];
  return (
    <select
      aria-label="Time zone"
      value={zone}
      onChange={({ target }) => (target.value === '' ? setTyping(true) : zoneStore.set(target.value))}
    >
      {zones.map((name) => (
        <option key={name}>{name}</option>
      ))}
      <option value="">other…</option>
    </select>
  );
}

function LookSwitches() {
  const theme = useStore(themeStore);
  const density = useStore(densityStore);
  const next = { auto: 'dark', dark: 'light', light: 'auto' }[theme] ?? 'auto';
  return (
    <>
      <button
        type="button"
        className="plain"
        onClick={() => themeStore.set(next)}
        aria-label={`Theme: ${theme}`}
        title={`Theme: ${theme}`}
      >
        ◐
      </button>
      <button
        type="button"
        className="plain"
        onClick={() => densityStore.set(density === 'dense' ? 'roomy' : 'dense')}
        aria-label={`Rows: ${density}`}
        title={`Rows: ${density}`}
      >
        ≡
      </button>
    </>
  );
}

/** Opens the drawer of actions: with the first ledger where there is none yet. */
function NewButton() {
  const { ledger } = useRoute();
  const may = useMay();
  const first = ledger === '' ? 'create-ledger' : ACTIONS.find(({ method }) => may(method, ledger))?.id;
  const isOffered = ACTIONS.some(({ id, method }) => id === first && may(method, ledger));
  if (first === undefined || !isOffered) return null;
  return (
    <button type="button" id="act" className="primary" title="n" onClick={() => openAction(first)}>
      New…
    </button>
  );
}

function Caller() {
  const caller = useCaller();
  if (caller === undefined) return null;
  return (
    <button type="button" className="chip" onClick={logOut} title="Log out">
      {caller} · log out
    </button>
  );
}
