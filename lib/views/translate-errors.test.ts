import { expect, test } from '@jest/globals';
import { translateErrors } from './translate-errors.js';
import { NOTHING_PARKED } from './parked/parked.js';
import { type Checkpoint, type DeadLetters, emptyCheckpoint, type View, type ViewRow } from './view.js';

/** Keeps private state, as adapters do, and fails in both ways that a method can. */
class Fake implements View {
  readonly id = 'balances';
  readonly store = 'fake';
  readonly generation = 7;
  #applied = 0;

  deadLetters(): Promise<DeadLetters> {
    return Promise.resolve({ parked: NOTHING_PARKED, letters: [] });
  }

  unpark(): Promise<void> {
    return Promise.resolve();
  }

  apply(): Promise<void> {
    this.#applied += 1;
    return Promise.resolve();
  }

  checkpoint(partition: number): Promise<Checkpoint> {
    const checkpoint = { ...emptyCheckpoint(partition), offset: BigInt(this.#applied) };
    return partition < 0 ? Promise.reject(new Error('later')) : Promise.resolve(checkpoint);
  }

  rows(): Promise<readonly ViewRow[]> {
    throw new Error('at once');
  }
}

const view = translateErrors(new Fake(), (error) =>
  error instanceof Error ? new RangeError(error.message, { cause: error }) : error,
);

test('values and answers pass unchanged, and private state is kept', async () => {
  expect(view).toMatchObject({ id: 'balances', store: 'fake', generation: 7 });
  await view.apply();
  await view.apply();
  expect(await view.checkpoint(3)).toMatchObject({ partition: 3, offset: 2n });
});

test('what a method rejects with is translated, and so is what it throws before it answers', async () => {
  await expect(view.checkpoint(-1)).rejects.toThrow(/^later$/);
  await expect(view.rows()).rejects.toThrow(/^at once$/);
  await expect(view.rows()).rejects.toBeInstanceOf(RangeError);
});
