/** A list of any length: only the rows that can be seen are in the page. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { densityStore, useHiddenColumns } from '../state/preferences.js';
import { useStore } from '../state/store.js';

export interface Column<T> {
  readonly name: string;
  /** A track of a CSS grid, `96px` or `minmax(120px, 1fr)`. */
  readonly width: string;
  readonly isRight?: boolean;
  readonly cell: (row: T) => ReactNode;
}

export interface RowsProps<T> {
  /** Says what the list is, to who cannot see it. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly count: number;
  /** Undefined while it is fetched. */
  readonly rowAt: (index: number) => T | undefined;
  readonly keyOf: (index: number) => string;
  /** Called with the first and the last row that can be seen. */
  readonly onSee?: (first: number, last: number) => void;
}

const ROW_PX = { dense: 28, roomy: 36 };
const OVERSCAN_ROWS = 12;

/** All rows are as wide as their tracks ask, and not as their words are long: so columns stand below each other. */
function tracksOf(columns: readonly Pick<Column<never>, 'width'>[]) {
  const least = (width: string) => Number.parseInt(/\d+/.exec(width)?.[0] ?? '0', 10);
  return {
    gridTemplateColumns: columns.map(({ width }) => width).join(' '),
    minWidth: columns.reduce((sum, { width }) => sum + least(width), 0),
  };
}

export function Rows<T>({ label, columns: all, count, rowAt, keyOf, onSee }: RowsProps<T>) {
  const { isHidden, toggle } = useHiddenColumns(label);
  // The first one names the row.
  const columns = all.filter(({ name }, index) => index === 0 || !isHidden(name));
  const scroller = useRef<HTMLDivElement>(null);
  const row_px = useStore(densityStore) === 'dense' ? ROW_PX.dense : ROW_PX.roomy;
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => row_px,
    overscan: OVERSCAN_ROWS,
    scrollPaddingStart: row_px,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    onSee?.(first, last);
  }, [onSee, first, last]);
  useEffect(() => {
    virtual.measure();
  }, [virtual, row_px]);
  const tracks = tracksOf(columns);
  return (
    <>
      <ColumnChooser names={all.slice(1).map(({ name }) => name)} isHidden={isHidden} onToggle={toggle} />
      <div
        className="rows"
        ref={scroller}
        role="table"
        aria-label={label}
        aria-rowcount={count + 1}
        tabIndex={0}
      >
        <div role="rowgroup">
          <div className="row head" role="row" style={tracks}>
            {columns.map(({ name, isRight }) => (
              <div key={name} role="columnheader" className={isRight === true ? 'right' : undefined}>
                {name}
              </div>
            ))}
          </div>
        </div>
        <div className="body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => (
            <div
              key={keyOf(index)}
              className="row"
              role="row"
              aria-rowindex={index + 2}
              style={{ ...tracks, transform: `translateY(${String(start)}px)` }}
            >
              <Cells columns={columns} row={rowAt(index)} />
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

interface ColumnChooserProps {
  readonly names: readonly string[];
  readonly isHidden: (name: string) => boolean;
  readonly onToggle: (name: string) => void;
}

function ColumnChooser({ names, isHidden, onToggle }: ColumnChooserProps) {
  return (
    <details className="chooser">
      <summary>Columns</summary>
      {names.map((name) => (
        <label key={name}>
          <input type="checkbox" checked={!isHidden(name)} onChange={() => onToggle(name)} /> {name}
        </label>
      ))}
    </details>
  );
}

function Cells<T>({ columns, row }: { readonly columns: readonly Column<T>[]; readonly row: T | undefined }) {
  return columns.map(({ name, isRight, cell }, index) => (
    <div key={name} role="cell" className={isRight === true ? 'right' : undefined}>
      {row !== undefined ? cell(row) : index === 0 ? <span className="muted">…</span> : null}
    </div>
  ));
}
