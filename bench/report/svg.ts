/** The ratios of a summary as bars: how far each figure is from its aim. */
import type { Summary } from './summary.js';

const WIDTH = 960;
const LABEL_WIDTH = 460;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 14;
const MARGIN = 12;
/** The bar of a figure that reaches its aim ends here, as a share of the room for bars. */
const AIM_AT = 0.6;
const [REACHED, MISSED] = ['#2e7d32', '#c77700'];

/** One bar per figure that has a ratio and an aim; the line across all of them is the aim. */
export function svgOf(title: string, summaries: readonly Summary[]): string {
  const bars = summaries.flatMap((summary) =>
    summary.against.flatMap(({ name, ratio, aim }) =>
      ratio === undefined || aim === undefined ? [] : [{ summary, name, ratio, aim }],
    ),
  );
  const hasBuilds = new Set(summaries.map(({ build }) => build)).size > 1;
  const height = MARGIN * 3 + ROW_HEIGHT * (bars.length + 1);
  const room = WIDTH - LABEL_WIDTH - MARGIN * 2;
  const rows = bars.map(({ summary, name, ratio, aim }, index) => {
    const top = MARGIN * 2 + ROW_HEIGHT * (index + 1);
    const width = Math.min(room, (ratio / aim) * AIM_AT * room);
    const label = `${summary.workload}${hasBuilds ? ` (${summary.build})` : ''}`;
    const said = `${ratio.toFixed(2)} of ${name}, aim ${String(aim)}`;
    const color = ratio >= aim ? REACHED : MISSED;
    return [
      `<text x="${String(LABEL_WIDTH)}" y="${String(top + 11)}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${String(LABEL_WIDTH + MARGIN)}" y="${String(top)}" width="${width.toFixed(1)}" height="${String(BAR_HEIGHT)}" fill="${color}"/>`,
      `<text x="${String(LABEL_WIDTH + MARGIN + 6)}" y="${String(top + 11)}" fill="#ffffff" stroke="#00000055" stroke-width="2" paint-order="stroke">${escaped(said)}</text>`,
    ].join('\n');
  });
  const line = LABEL_WIDTH + MARGIN + AIM_AT * room;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(WIDTH)}" height="${String(height)}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${String(MARGIN)}" y="${String(MARGIN + 10)}" font-weight="bold">${escaped(title)}</text>`,
    ...rows,
    `<line x1="${line.toFixed(1)}" x2="${line.toFixed(1)}" y1="${String(MARGIN * 2 + ROW_HEIGHT)}" y2="${String(height - MARGIN)}" stroke="#000000" stroke-dasharray="4 3"/>`,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
