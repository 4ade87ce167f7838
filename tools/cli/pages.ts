/** Rows of a list, page by page, so that a list of any length needs the memory of one page. */
import type { AsOf } from '../../gen/quittance/common/v1/consistency_pb.js';
import { say } from './io.js';
import { printList } from './printer.js';
import type { Session } from './session.js';
import type { Sheet } from './sheet.js';

/** What the server takes at most. */
const PAGE_ROWS = 1_000;

export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextPageToken: string;
  readonly asOf: AsOf | undefined;
}

/** What a page is asked for by. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Prints a list up to the limit, then what it is as of and whether there is more. */
export async function printPages<T>(
  session: Session,
  sheet: Sheet<T>,
  fetch: (page: PageRequest) => Promise<Page<T>>,
): Promise<void> {
  const seen: { asOf?: AsOf; hasMore: boolean } = { hasMore: false };
  const { limit = Number.POSITIVE_INFINITY } = session;
  async function* rows() {
    let left = limit;
    let pageToken = '';
    do {
      const page = await fetch({ pageSize: Math.min(left, PAGE_ROWS), pageToken });
      if (page.asOf !== undefined) seen.asOf ??= page.asOf;
      yield* page.rows;
      left -= page.rows.length;
      pageToken = page.nextPageToken;
      seen.hasMore = pageToken !== '';
    } while (seen.hasMore && left > 0);
  }
  const count = await printList(session.io, session.format, sheet, rows());
  session.sayAsOf(seen.asOf);
  if (seen.hasMore)
    say(session.io, `${String(count)} shown, and there are more; --all or --limit shows them`);
}
