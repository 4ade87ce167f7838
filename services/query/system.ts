/** What a process that reads the views says of them in GetSystem. */
import { smallerOf } from '../../lib/base/bigints.js';
import type { SystemFacts } from '../../lib/process/system-service.js';
import type { Views } from '../../lib/views/compose-views.js';
import type { View, ViewGenerations } from '../../lib/views/view.js';

type Facts = Required<Pick<SystemFacts, 'views'>>;

/** Up to where each view has all partitions, as its store says it. */
export function viewFacts({ balances, history, reports }: Views, partitions: number): Facts {
  const all: readonly ViewGenerations<View>[] = [balances, history, reports];
  return {
    views: async () => {
      const read = await Promise.allSettled(all.map((generations) => factOf(generations, partitions)));
      return read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    },
  };
}

async function factOf(generations: ViewGenerations<View>, partitions: number) {
  const view = await generations.current();
  const all = Array.from({ length: partitions }, (_, partition) => view.checkpoint(partition));
  const [first, ...others] = (await Promise.all(all)).map(({ position }) => position);
  if (first === undefined) throw new Error('a topic has partitions');
  return { projectionId: view.id, position: others.reduce(smallerOf, first) };
}
