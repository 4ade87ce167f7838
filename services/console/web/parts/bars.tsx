/** Bars over time, drawn as SVG: one bar per bucket, with its words for who cannot see it. */
import { shareOf } from '../numbers.js';

export interface Bar {
  readonly key: string;
  readonly value: bigint;
  /** What the bar says on hover. */
  readonly title: string;
}

const WIDTH = 480;
const HEIGHT = 96;
const GAP = 2;

export function Bars({
  label,
  bars,
  isBad = false,
}: {
  readonly label: string;
  readonly bars: readonly Bar[];
  readonly isBad?: boolean;
}) {
  const highest = bars.reduce((most, { value }) => (value > most ? value : most), 0n);
  const width = WIDTH / Math.max(bars.length, 1);
  return (
    <svg
      className="bars"
      viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <line x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      {bars.map(({ key, value, title }, index) => {
        const height = shareOf(value, highest) * (HEIGHT - 4);
        return (
          <rect
            key={key}
            className={isBad ? 'declines' : undefined}
            x={index * width + GAP / 2}
            y={HEIGHT - height}
            width={Math.max(width - GAP, 1)}
            height={height}
          >
            <title>{title}</title>
          </rect>
        );
      })}
    </svg>
  );
}
