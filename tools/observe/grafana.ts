/** Dashboards as Grafana reads them. */
import type { Dashboard, Panel } from './definition.js';

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = 12;
const HEIGHT = 8;
/** The version of Grafana's own format. */
const SCHEMA_VERSION = 39;

/** The dashboard as the text of a JSON file. */
export function dashboardJson({ id, title, panels }: Dashboard): string {
  const dashboard = {
    uid: `quittance-${id}`,
    title,
    tags: ['quittance'],
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    schemaVersion: SCHEMA_VERSION,
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', refresh: 1 },
      ],
    },
    panels: panels.map(panelJson),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function panelJson({ title, description, kind, unit, queries }: Panel, index: number): object {
  const gridPos = { h: HEIGHT, w: WIDTH, x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT };
  return {
    id: index + 1,
    title,
    description,
    type: kind === 'number' ? 'stat' : 'timeseries',
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, ...(unit === 'percentunit' ? { min: 0 } : {}) }, overrides: [] },
    options:
      kind === 'number'
        ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, textMode: 'auto' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, place) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + place),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr,
      legendFormat: legend,
      range: true,
    })),
  };
}
