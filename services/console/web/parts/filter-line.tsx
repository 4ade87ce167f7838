/** The line above a list in which its filter is typed, as `key:value` words. */
import { useState } from 'react';

/** Its key is to change with the text: then it follows the address of the page. */
export function FilterLine({
  text,
  example,
  onFilter,
}: {
  /** The filter that the list has now. */
  readonly text: string;
  /** Shown while nothing is typed. */
  readonly example: string;
  readonly onFilter: (text: string) => void;
}) {
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
        aria-label="Filter"
        placeholder={example}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
      />
      <button type="submit">Filter</button>
    </form>
  );
}
