/** What questions of the suite are put together from: expectations in short, and figures that many of them ask for. */
import type { AskQuestion, Expectation, NumberExpectation, Quantity } from './ask-question.ts';
import { NOW_MS, ONSET_MS, type StoryFacts, type StoryName } from './ask-stories.ts';
import { errorRatio, quantile, requestsOf } from './observed-facts.ts';

export const MINUTE_MS = 60_000;
/** The beginning of telemetry, well before. */
export const EVER = 0;

/** Today at hour:minute UTC. */
export function at(hour: number, minute = 0): number {
  return Date.UTC(2026, 2, 4, hour, minute);
}

export function minutesAgo(minutes: number): number {
  return NOW_MS - minutes * MINUTE_MS;
}

export function question(
  id: string,
  story: StoryName,
  ask: string,
  expect: (facts: StoryFacts) => Expectation | readonly Expectation[],
  after?: string,
): AskQuestion {
  return {
    ...{ id, story, ask },
    ...(after === undefined ? {} : { after }),
    expect: (facts) => [expect(facts)].flat(),
  };
}

export function number(
  quantity: Quantity,
  value: number,
  more: { within?: number; of?: string } = {},
): NumberExpectation {
  return { kind: 'number', quantity, value, ...more };
}

export const first = (name: string | undefined): Expectation => ({ kind: 'first', name: name ?? '(none)' });
export const says = (...all: string[]): Expectation => ({ kind: 'says', all });
export const window = (startMs: number, endMs: number): Expectation => ({ kind: 'window', startMs, endMs });

/** Percentiles of a hundred requests differ by definition: so much is allowed. */
const WITHIN_PERCENTILE = 0.12;

/** A percentile of the durations of requests into a service; `operation` is a part of its name. */
export function durationOf(
  facts: StoryFacts,
  service: string,
  share: number,
  fromMs: number,
  toMs = NOW_MS,
  operation = '',
): NumberExpectation {
  const requests = requestsOf(facts, service, fromMs, toMs).filter((span) => span.operation.includes(operation));
  const durations = requests.map(({ durationMs }) => durationMs);
  return number('duration', quantile(durations, share), { within: WITHIN_PERCENTILE });
}

export function ratioOf(facts: StoryFacts, service: string, fromMs: number, toMs = NOW_MS): NumberExpectation {
  return number('ratio', errorRatio(requestsOf(facts, service, fromMs, toMs)));
}

export function failuresOf(facts: StoryFacts, service: string, fromMs: number, toMs = NOW_MS): number {
  return requestsOf(facts, service, fromMs, toMs).filter(({ failed }) => failed).length;
}

/** Requests a second over a window that holds telemetry all the time. */
export function rateOf(facts: StoryFacts, service: string, fromMs: number, toMs = NOW_MS): Expectation {
  return number('perSecond', requestsOf(facts, service, fromMs, toMs).length / ((toMs - fromMs) / 1_000));
}

/** Values of a metric of a service in a window. */
export function valuesOf(
  facts: StoryFacts,
  service: string,
  metric: string,
  fromMs: number,
  toMs = NOW_MS,
): { readonly pod: string; readonly atMs: number; readonly value: number }[] {
  return facts.points.filter(
    (point) => point.service === service && point.metric === metric && point.atMs >= fromMs && point.atMs < toMs,
  );
}

export { NOW_MS, ONSET_MS };
