/** The last values of an amount as a line of steps: an amount stays what it is until the next one. */
import { shareOf } from '../numbers.js';

const WIDTH = 240;
const HEIGHT = 40;
/** The line has a width of its own. */
const EDGE = 2;

export function Sparkline({ label, values }: { readonly label: string; readonly values: readonly bigint[] }) {
  const least = values.reduce((low, value) => (value < low ? value : low), values[0] ?? 0n);
  const most = values.reduce((high, value) => (value > high ? value : high), values[0] ?? 0n);
  const step = WIDTH / Math.max(values.length, 1);
  const points = values.flatMap((value, index) => {
    const y = HEIGHT - EDGE - shareOf(value - least, most - least) * (HEIGHT - 2 * EDGE);
    return [`${String(index * step)},${String(y)}`, `${String((index + 1) * step)},${String(y)}`];
  });
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <polyline points={points.join(' ')} />
    </svg>
  );
}
