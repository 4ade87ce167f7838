/** The line above a list in which its filter is typed, as `key:value` words. */
import { useRef, useState } from 'react';

interface FilterLineProps {
  /** The filter that the list has now. */
  readonly text: string;
  /** Shown while nothing is typed. */
  readonly example: string;
  /** What the list takes, with what each means. */
  readonly filters: Readonly<Record<string, string>>;
  readonly onFilter: (text: string) => void;
}

/** Its key is to change with the text: then it follows the address of the page. */
export function FilterLine({ text, example, filters, onFilter }: FilterLineProps) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(text);
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(typed.trim());
      }}
    >
      <input
        ref={input}
        aria-label="Filter"
        placeholder={example}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
      />
      <button type="submit">Filter</button>
      {text === '' ? null : (
        <button type="button" onClick={() => onFilter('')}>
          Clear
        </button>
      )}
      <details className="keys">
        <summary>What to filter by</summary>
        <div className="choices">
          {Object.entries(filters).map(([key, meaning]) => (
            <button
              key={key}
              type="button"
              className="chip"
              title={meaning}
              onClick={() => {
                setTyped((before) => `${before.trim()} ${key}:`.trim());
                input.current?.focus();
              }}
            >
              {key}: <span className="muted small">{meaning}</span>
            </button>
          ))}
        </div>
      </details>
    </form>
  );
}
