/** What dashboards and alerts are made of. One definition, from which the files for Grafana and Prometheus are generated. */

/** A query in PromQL, in which $__rate_interval stands for what Grafana finds right for its step. */
export interface Query {
  readonly expr: string;
  /** How the series are named; labels in double braces. */
  readonly legend: string;
}

/** Units as Grafana names them. */
export type Unit =
  'short' | 'percentunit' | 'bytes' | 's' | 'ops' | 'cpm' | 'none' | 'dateTimeAsIso' | 'bool_yes_no';

export interface Panel {
  readonly title: string;
  /** What it tells an operator, and what to look for. */
  readonly description: string;
  /** `number`: the latest value, large; `lines`: over time. */
  readonly kind: 'number' | 'lines';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Has data only where there are several processes. */
  readonly isDistributed?: boolean;
  /** Has data only in the embedded platform. */
  readonly isEmbedded?: boolean;
  /** Has data only where callers are authenticated, limited, or reach the platform over TLS. */
  readonly isSecured?: boolean;
}

export interface Dashboard {
  /** Also the name of its file. */
  readonly id: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Samples as promtool writes them: `0+1x10` is 0, 1, 2 … 10, one per minute. */
export type Series = Readonly<Record<string, string>>;

/** An alert, with what makes it fire and what does not. */
export interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long it must hold; `0m`: it fires at once. */
  readonly for: string;
  /** `page`: a person is to look now; `ticket`: on the next working day. */
  readonly severity: 'page' | 'ticket';
  readonly summary: string;
  readonly fires: {
    readonly series: Series;
    /** When it is looked at. */
    readonly at: string;
    /** The labels of each alert that fires then, beside the severity. */
    readonly labels: readonly Readonly<Record<string, string>>[];
  };
  /** With these samples it does not fire at the same time. */
  readonly rests: Series;
}
