/** What is silent, in figures and in a sentence. Pure. */
import { type Anomaly, anomalyIdOf } from '../../domain/anomaly.ts';
import type { SeriesName } from '../../domain/series-name.ts';
import type { Signal } from '../../domain/signal.ts';
import { formatMinute, type TimeWindow } from '../../domain/time-window.ts';
import type { PresenceMinute, PresentSignal, SilenceDeviation, SilenceShape } from './service-presence.ts';

const SENTENCES: Readonly<Record<SilenceShape, (found: SilenceDeviation, minute: PresenceMinute) => string>> = {
  down: (_, { asked, refused }) => `nothing comes from it, and ${refused} of ${asked} calls to it failed in a minute`,
  unreached: (_, { asked, refused }) =>
    `no request reaches it, and ${refused} of ${asked} calls to it failed in a minute`,
  'no requests': ({ expected }) => `no requests, normally ${show(expected)} a minute`,
  unasked: ({ expected }) => `its callers stopped calling it, normally ${show(expected)} requests a minute`,
  gone: () => 'nothing comes from it any more, and nobody calls it',
  untold: () => 'nothing comes from it, yet calls to it are answered: its telemetry stopped',
  traces: () => 'its traces stopped, the rest goes on',
  logs: () => 'its logs stopped, the rest goes on',
  metrics: () => 'its metrics stopped, the rest goes on',
};

const SIGNAL_OF: Readonly<Record<SilenceShape, Signal>> = {
  down: 'traces',
  unreached: 'traces',
  'no requests': 'traces',
  unasked: 'traces',
  gone: 'metrics',
  untold: 'metrics',
  traces: 'traces',
  logs: 'logs',
  metrics: 'metrics',
};

/** Its callers, or those who are turned away at the door, are people. */
const HURTS = new Set<SilenceShape>(['down', 'unreached', 'no requests']);

export function describeSilence(
  service: string,
  found: SilenceDeviation,
  minute: PresenceMinute,
  window: TimeWindow,
): Anomaly {
  const { shape, deviation, sinceMs, expected } = found;
  return anomalyFrom({
    service,
    name: SIGNAL_OF[shape] === 'traces' ? 'requests' : shape,
    subject: shape,
    signal: SIGNAL_OF[shape],
    deviation,
    sinceMs,
    expected,
    hurtsUsers: HURTS.has(shape),
    what: `${service}: ${SENTENCES[shape](found, minute)}`,
    window,
  });
}

/** Nobody observes, or nobody observes one signal: of no service, and no trouble of the users'. */
export function describeBlindness(
  what: PresentSignal | 'telemetry',
  { deviation, sinceMs }: Pick<SilenceDeviation, 'deviation' | 'sinceMs'>,
  window: TimeWindow,
): Anomaly {
  return anomalyFrom({
    service: '',
    name: what,
    subject: `no ${what}`,
    signal: what === 'telemetry' ? 'metrics' : what,
    deviation,
    sinceMs,
    expected: 1,
    hurtsUsers: false,
    what:
      what === 'telemetry'
        ? 'No telemetry arrives from any service: nobody observes'
        : `No ${what} arrive from most services: nobody observes them`,
    window,
  });
}

interface Described {
  readonly service: string;
  readonly name: string;
  readonly subject: string;
  readonly signal: Signal;
  readonly deviation: number;
  readonly sinceMs: number;
  readonly expected: number;
  readonly hurtsUsers: boolean;
  readonly what: string;
  readonly window: TimeWindow;
}

function anomalyFrom({ service, name, what, expected, ...rest }: Described): Anomaly {
  const series: SeriesName = { kind: 'presence', service, name, detail: '' };
  const { sinceMs } = rest;
  return {
    ...rest,
    anomalyId: anomalyIdOf(series, 'silence', sinceMs),
    service,
    series,
    aspect: 'silence',
    detector: 'silence',
    observed: 0,
    expected,
    range: [Math.min(1, expected), expected],
    unit: '1/min',
    sentence: `${what}, since ${formatMinute(sinceMs)} UTC.`,
    correlated: [],
  };
}

function show(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2);
}
