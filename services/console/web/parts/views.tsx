/** Filters that are often wanted, by a name. */
import { setParams, useRoute } from '../state/route.js';

export function Views({ views }: { readonly views: readonly (readonly [name: string, filter: string])[] }) {
  const q = useRoute().params.get('q') ?? '';
  return views.map(([name, filter]) => (
    <button
      key={name}
      type="button"
      className="chip"
      aria-pressed={q === filter}
      onClick={() => setParams({ q: filter })}
    >
      {name}
    </button>
  ));
}
