/** The last pass: sends the movements, compares balances, and stops an account at its first decline. */
import { DeclineReason } from '../../gen/quittance/common/v1/transaction_pb.js';
import { describe } from '../client/errors.js';
import { AccountQueue, type Ticket } from './account-queue.js';
import { type Outcome, outcomeOf, remedyOf } from './answers.js';
import { type ImportTarget, movementCommand } from './commands.js';
import { type Connection, sendPass } from './connection.js';
import { moneyText } from './fields.js';
import { type Movement, movementsOf } from './movement.js';
import type { Plan } from './plan.js';
import { Problems } from './problems.js';
import type { ReadableFile } from './read-file.js';
import type { Answer, Item } from './send.js';

/** A movement whose balance is not the printed one, or that was not booked. */
export interface Mismatch {
  readonly movement: Movement;
  /** A sentence. */
  readonly problem: string;
}

/** An account whose later movements were not sent. */
export interface StoppedAccount {
  readonly accountId: string;
  readonly line: number;
  readonly remedy: string;
  notSent: number;
}

/** What came of the movements. */
export interface Booked {
  /** Booked by this run. */
  readonly booked: number;
  /** Booked by an earlier run. */
  readonly replayed: number;
  /** Movements after or before which a balance is printed, and that were booked. */
  readonly compared: number;
  readonly matches: number;
  /** Movements that were declined or refused. */
  readonly refused: number;
  /** The first ones. */
  readonly mismatches: readonly Mismatch[];
  readonly mismatchCount: number;
  readonly stopped: readonly StoppedAccount[];
}

/** The file is another one than the one that was judged. What was booked stays booked. */
export class ChangedFileError extends Error {
  override readonly name = 'ChangedFileError';
  constructor() {
    super('the file was changed while its movements were booked; see to the file');
  }
}

const MAX_KEPT = 100;

/** An attempt at a movement. */
interface Attempt {
  readonly movement: Movement;
  readonly attempt: number;
}

/** An attempt that is in flight. */
interface Sent extends Attempt {
  readonly ticket: Ticket;
}

/** Sends every movement of the file that moves something. @throws SendError when the server stays away. */
export async function bookMovements(
  connection: Connection,
  target: ImportTarget,
  file: ReadableFile,
  expected: { readonly total: number; readonly plan: Plan; readonly openedByOthers: ReadonlySet<string> },
): Promise<Booked> {
  const booking = new Booking(target, queuesOf(expected.plan, expected.openedByOthers));
  const items = booking.items(file);
  await sendPass(connection, { title: 'movements', total: expected.total, items }, (about, answer) =>
    booking.answer(about, answer),
  );
  return booking.result();
}

/** A queue for each account. What others do at the same time is not known here: there one movement goes at a time. */
function queuesOf({ accounts }: Plan, openedByOthers: ReadonlySet<string>): Map<string, AccountQueue> {
  return new Map(
    accounts.map(({ accountId, available, isBlocked, progress: { booked, wasDeclined } }) => {
      const isDoubtful = isBlocked || wasDeclined || openedByOthers.has(accountId);
      return [accountId, new AccountQueue({ booked, available, isDoubtful })];
    }),
  );
}

/** The state of one run over the movements. */
class Booking {
  readonly #stopped = new Map<string, StoppedAccount>();
  /** Movements to try anew, before anything else of their account. */
  readonly #again: Attempt[] = [];
  readonly #waitingFor = new Set<string>();
  readonly #mismatches: Mismatch[] = [];
  #mismatchCount = 0;
  #inFlight = 0;
  #booked = 0;
  #replayed = 0;
  #refused = 0;
  #compared = 0;
  #matches = 0;
  #changed: () => void = () => undefined;

  constructor(
    readonly target: ImportTarget,
    readonly queues: ReadonlyMap<string, AccountQueue>,
  ) {}

  /** What to send, in order; waits for answers where an account has to. */
  async *items(file: ReadableFile): AsyncGenerator<Item<Sent>> {
    const problems = new Problems();
    for await (const movement of movementsOf(file.records(problems))) {
      if (problems.count > 0) throw new ChangedFileError();
      const { accountId, amount } = movement;
      if (amount === 0n) continue;
      const queue = this.#queueOf(movement);
      const isDue = (): boolean =>
        this.#stopped.has(accountId) || (!this.#waitingFor.has(accountId) && queue.mayGo(amount));
      yield* this.#retriesUntil(isDue);
      const stopped = this.#stopped.get(accountId);
      if (stopped === undefined) yield* this.#send({ movement, attempt: 1 });
      else stopped.notSent += 1;
    }
    yield* this.#retriesUntil(() => this.#inFlight === 0);
  }

  /** Retries as they come up, until something is so. */
  async *#retriesUntil(isSo: () => boolean): AsyncGenerator<Item<Sent>> {
    for (;;) {
      const again = this.#again.shift();
      if (again !== undefined) {
        this.#waitingFor.delete(again.movement.accountId);
        yield* this.#send(again);
      } else if (isSo()) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
    }
  }

  *#send({ movement, attempt }: Attempt): Generator<Item<Sent>> {
    const command = movementCommand(this.target, movement, { attempt });
    if (command === undefined) return;
    this.#inFlight += 1;
    const ticket = this.#queueOf(movement).sent(movement.amount);
    yield { about: { movement, attempt, ticket }, command };
  }

  #queueOf({ accountId }: Movement): AccountQueue {
    const queue = this.queues.get(accountId);
    if (queue === undefined) throw new ChangedFileError();
    return queue;
  }

  answer(about: Sent, answer: Answer): void {
    const { movement } = about;
    const outcome = outcomeOf(movement.accountId, answer);
    this.#inFlight -= 1;
    this.#queueOf(movement).answered(about.ticket, outcome);
    this.#judge(about, outcome);
    this.#changed();
  }

  #judge({ movement, attempt }: Attempt, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'posted':
        if (outcome.replayed) this.#replayed += 1;
        else this.#booked += 1;
        this.#compare(movement, outcome.posted);
        return;
      case 'declined':
        // A decline of an earlier run is stored for ever under its id; the movement is tried again under the next one.
        if (outcome.replayed) {
          this.#waitingFor.add(movement.accountId);
          this.#again.push({ movement, attempt: attempt + 1 });
          return;
        }
        this.#refuse(movement, declineText(movement, outcome));
        this.#stop(movement, remedyOf(outcome.reason));
        return;
      case 'refused':
        this.#refuse(movement, `not booked, ${describe(outcome.error)}`);
        // It is booked already, in another form: what comes after it can go on.
        if (outcome.error.reason !== 'REQUEST_ID_REUSED') this.#stop(movement, 'see to its cause');
    }
  }

  #compare(movement: Movement, posted: bigint | undefined): void {
    const { amount, balanceAfter, balanceBefore, currency } = movement;
    if (balanceAfter === undefined && balanceBefore === undefined) return;
    this.#compared += 1;
    const before = posted === undefined ? undefined : posted - amount;
    const money = (units: bigint | undefined): string =>
      units === undefined ? 'nothing' : moneyText(units, currency);
    if (balanceAfter !== undefined && balanceAfter !== posted)
      this.#mismatch(movement, `printed ${money(balanceAfter)}, posted ${money(posted)}`);
    else if (balanceBefore !== undefined && balanceBefore !== before)
      this.#mismatch(movement, `printed ${money(balanceBefore)} before it, the ledger had ${money(before)}`);
    else this.#matches += 1;
  }

  #refuse(movement: Movement, problem: string): void {
    this.#refused += 1;
    this.#mismatch(movement, problem);
  }

  #mismatch(movement: Movement, problem: string): void {
    this.#mismatchCount += 1;
    if (this.#mismatches.length < MAX_KEPT) this.#mismatches.push({ movement, problem });
  }

  #stop({ accountId, line }: Movement, remedy: string): void {
    if (this.#stopped.has(accountId)) return;
    this.#stopped.set(accountId, { accountId, line, remedy, notSent: 0 });
  }

  result(): Booked {
    return {
      booked: this.#booked,
      replayed: this.#replayed,
      compared: this.#compared,
      matches: this.#matches,
      refused: this.#refused,
      mismatches: this.#mismatches,
      mismatchCount: this.#mismatchCount,
      stopped: [...this.#stopped.values()],
    };
  }
}

function declineText(
  { amount, currency }: Movement,
  { reason, available }: { readonly reason: DeclineReason; readonly available: bigint | undefined },
): string {
  const lacking =
    reason === DeclineReason.INSUFFICIENT_FUNDS && available !== undefined
      ? `; it lacks ${moneyText(-amount - available, currency)}`
      : '';
  return `not booked, declined: ${DeclineReason[reason]}${lacking}`;
}
