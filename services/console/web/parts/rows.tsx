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
  /** Called when the operator begins to point at a row, or to go through the rows by the keyboard, and when that ends. */
  readonly onHold?: (isHeld: boolean) => void;
  /** Stands above the rows, on the line of the column chooser. */
  readonly children?: ReactNode;
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

export function Rows<T>(props: RowsProps<T>) {
  const { label, columns: all, count, onHold, children } = props;
  const { isHidden, toggle } = useHiddenColumns(label);
  // The first one names the row.
  const columns = all.filter(({ name }, index) => index === 0 || !isHidden(name));
  const { scroller, items, height } = useWindow(props);
  const tracks = tracksOf(columns);
  return (
    <>
      <div className="above">
        {children}
        <ColumnChooser names={all.slice(1).map(({ name }) => name)} isHidden={isHidden} onToggle={toggle} />
      </div>
      <div
        className="rows"
        ref={scroller}
        role="table"
        aria-label={label}
        aria-rowcount={count + 1}
        tabIndex={0}
      >
        <Head columns={columns} tracks={tracks} />
        <div
          className="body"
          role="rowgroup"
          style={{ height }}
          onPointerEnter={() => onHold?.(true)}
          onPointerLeave={() => onHold?.(false)}
          onFocus={() => onHold?.(true)}
          onBlur={() => onHold?.(false)}
        >
          {items.map(({ index, start }) => (
            <div
              key={props.keyOf(index)}
              className="row"
              role="row"
              aria-rowindex={index + 2}
              style={{ ...tracks, transform: `translateY(${String(start)}px)` }}
            >
              <Cells columns={columns} row={props.rowAt(index)} />
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

/** Which rows are in the page: those that can be seen, and a few more. */
function useWindow<T>({ count, onSee }: RowsProps<T>) {
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
  return { scroller, items, height: virtual.getTotalSize() };
}

interface HeadProps<T> {
  readonly columns: readonly Column<T>[];
  readonly tracks: ReturnType<typeof tracksOf>;
}

function Head<T>({ columns, tracks }: HeadProps<T>) {
  return (
    <div role="rowgroup">
      <div className="row head" role="row" style={tracks}>
        {columns.map(({ name, isRight }) => (
          <div key={name} role="columnheader" className={isRight === true ? 'right' : undefined}>
            {name}
          </div>
        ))}
      </div>
    </div>
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
