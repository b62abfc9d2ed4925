/** Twenty questions of people on call, written by somebody who had not seen how questions are understood. */
import type { AskQuestion, Expectation } from './ask-question.ts';
import { ONSET_MS, type StoryFacts } from './ask-stories.ts';
import { errorRatio, mean, quantile, rankNames, requestsOf } from './observed-facts.ts';

type Span = StoryFacts['spans'][number];

const MINUTE_MS = 60_000;
/** From 10:45 to 10:55: before anything was wrong. */
const CALM_START_MS = ONSET_MS - 15 * MINUTE_MS;
const CALM_END_MS = ONSET_MS - 5 * MINUTE_MS;

function sinceOnset(facts: StoryFacts, service: string): Span[] {
  return requestsOf(facts, service, ONSET_MS, facts.nowMs);
}

function calm(facts: StoryFacts, service: string): Span[] {
  return requestsOf(facts, service, CALM_START_MS, CALM_END_MS);
}

function durationsOf(spans: readonly Span[]): number[] {
  return spans.map(({ durationMs }) => durationMs);
}

function failuresOf(spans: readonly Span[]): Span[] {
  return spans.filter(({ failed }) => failed);
}

function sizeOf(group: readonly unknown[]): number {
  return group.length;
}

/** Requests to the gateway since the onset from one region. */
function fromRegion(facts: StoryFacts, region: string): Span[] {
  return sinceOnset(facts, 'gateway').filter(({ attributes }) => attributes['region'] === region);
}

/** The two operations of a service that failed most since the onset, each with how often. */
function mostFailed(facts: StoryFacts, service: string): Expectation[] {
  const failures = failuresOf(sinceOnset(facts, service));
  const names = rankNames(failures, ({ operation }) => operation, sizeOf).slice(0, 2);
  return names.map((name) => ({
    kind: 'number',
    quantity: 'count',
    value: failures.filter(({ operation }) => operation === name).length,
    of: name,
  }));
}

/** The version of a deploy, the name of a flag, else the service: what an answer that lists the change cannot leave out. */
function essenceOf({ kind, version, service, summary }: StoryFacts['changes'][number]): string {
  if (kind === 'flag') return /^Flag (\S+)/.exec(summary)?.[1] ?? summary;
  return version || service || summary;
}

function changesIn({ changes }: StoryFacts, fromMs: number, toMs: number): StoryFacts['changes'] {
  return changes.filter(({ at }) => at !== undefined && Date.parse(at) >= fromMs && Date.parse(at) < toMs);
}

/** The slowest by what its root took, and by its first span's start until its last one's end: mail is sent after the answer. */
function slowestTraces({ spans }: StoryFacts, fromMs: number): string[] {
  const recent = spans.filter(({ startMs }) => startMs >= fromMs);
  const rootMs = (group: readonly Span[]) => group.find(({ isRoot }) => isRoot)?.durationMs ?? 0;
  const wholeMs = (group: readonly Span[]) =>
    Math.max(...group.map(({ startMs, durationMs }) => startMs + durationMs)) -
    Math.min(...group.map(({ startMs }) => startMs));
  const [byRoot = ''] = rankNames(recent, ({ traceId }) => traceId, rootMs);
  const [byWhole = ''] = rankNames(recent, ({ traceId }) => traceId, wholeMs);
  return [byRoot, byWhole];
}

/** What most error lines of a service say, e.g. `RoutingTableError` and the first words of its message. */
function topError({ lines }: StoryFacts, service: string): string[] {
  const errors = lines.filter((line) => line.service === service && line.severity === 'ERROR');
  const [top = ''] = rankNames(errors, ({ body }) => /failed: (\S+: .*)$/.exec(body)?.[1] ?? body, sizeOf);
  const [exception = '', message = ''] = top.split(': ');
  return [exception, message.split(' ').slice(0, 4).join(' ')];
}

export const BLIND_QUESTIONS: readonly AskQuestion[] = [
  {
    id: 'blind-01',
    story: 'deploy',
    ask: 'which gateway endpoints had failed requests since 11:00 and how many each',
    expect: (facts) => mostFailed(facts, 'gateway'),
  },
  {
    id: 'blind-02',
    story: 'deploy',
    ask: 'cart error rate last 5 min',
    expect: (facts) => [{ kind: 'number', quantity: 'ratio', value: errorRatio(sinceOnset(facts, 'cart')) }],
  },
  {
    id: 'blind-03',
    story: 'deploy',
    ask: 'compare median latency of cart between 10:45 and 10:55 with 11:00 to 11:05',
    expect: (facts) =>
      [calm(facts, 'cart'), sinceOnset(facts, 'cart')].map((spans) => ({
        kind: 'number',
        quantity: 'duration',
        value: quantile(durationsOf(spans), 0.5),
        within: 0.1,
      })),
  },
  {
    id: 'blind-04',
    story: 'deploy',
    ask: 'what changed since 10:55? deploys, flags, config, anything',
    expect: (facts) => [
      {
        kind: 'says',
        all: changesIn(facts, CALM_END_MS, facts.nowMs).map(essenceOf),
        none: changesIn(facts, CALM_START_MS, CALM_END_MS)
          .filter(({ kind }) => kind === 'deploy')
          .map(essenceOf),
      },
    ],
  },
  {
    id: 'blind-05',
    story: 'deploy',
    after: 'how many errors did cart have since 11:00?',
    ask: 'and checkout?',
    expect: (facts) => [{ kind: 'number', quantity: 'count', value: failuresOf(sinceOnset(facts, 'checkout')).length }],
  },
  {
    id: 'blind-06',
    story: 'deploy',
    ask: 'checkout keeps failing, which service is the culprit?',
    expect: ({ truth }) => [{ kind: 'first', name: truth.service }],
  },
  {
    id: 'blind-07',
    story: 'deploy',
    ask: 'who is calling cart?',
    expect: ({ spans }) => {
      const callers = rankNames(
        spans.filter(({ callee }) => callee === 'cart'),
        ({ service }) => service,
        sizeOf,
      );
      return [{ kind: 'says', all: callers, none: ['fraud', 'notification'] }];
    },
  },
  {
    id: 'blind-08',
    story: 'pool',
    ask: 'Hi, could you please tell me which service is running out of database connections?',
    expect: ({ points }) => {
      const pending = points.filter(({ metric }) => metric === 'db.client.connection.pending_requests');
      const [name = ''] = rankNames(
        pending,
        ({ service }) => service,
        (group) => Math.max(...group.map(({ value }) => value)),
      );
      return [{ kind: 'first', name }];
    },
  },
  {
    id: 'blind-09',
    story: 'pool',
    ask: 'services by p99 since 11:00, slowest first',
    expect: (facts) => {
      const [name = ''] = rankNames(
        sinceOnset(facts, ''),
        ({ service }) => service,
        (group) => quantile(durationsOf(group), 0.99),
      );
      return [{ kind: 'first', name }];
    },
  },
  {
    id: 'blind-10',
    story: 'pool',
    ask: 'show me the slowest trace of the last 10 minutes',
    expect: (facts) => [
      {
        kind: 'saysOne',
        of: slowestTraces(facts, facts.nowMs - 10 * MINUTE_MS).map((traceId) => traceId.slice(0, 8)),
      },
    ],
  },
  {
    id: 'blind-11',
    story: 'pool',
    ask: 'how many req/s did gateway get between 10:45 and 10:55',
    expect: (facts) => [
      {
        kind: 'number',
        quantity: 'perSecond',
        value: (calm(facts, 'gateway').length * 1000) / (CALM_END_MS - CALM_START_MS),
      },
      { kind: 'window', startMs: CALM_START_MS, endMs: CALM_END_MS },
    ],
  },
  {
    id: 'blind-12',
    story: 'pool',
    ask: 'avg cpu of search over the last 10 mins',
    expect: ({ points, nowMs }) => {
      const cpu = points.filter(
        ({ service, metric, atMs }) =>
          service === 'search' && metric === 'container.cpu.utilization' && atMs >= nowMs - 10 * MINUTE_MS,
      );
      return [{ kind: 'number', quantity: 'ratio', value: mean(cpu.map(({ value }) => value)) }];
    },
  },
  {
    id: 'blind-13',
    story: 'pool',
    ask: "who's on call for order tonight?",
    expect: () => [{ kind: 'declines' }],
  },
  {
    id: 'blind-14',
    story: 'pool',
    ask: 'waht was the p95 of GET /products/{id} from 10:45 to 10:55',
    expect: (facts) => {
      const spans = calm(facts, 'gateway').filter(({ operation }) => operation === 'GET /products/{id}');
      return [{ kind: 'number', quantity: 'duration', value: quantile(durationsOf(spans), 0.95), within: 0.08 }];
    },
  },
  {
    id: 'blind-15',
    story: 'tenant',
    ask: 'is everyone seeing errors or only one region? which?',
    expect: ({ truth }) => [{ kind: 'says', all: [truth.attribute?.value ?? 'a region'] }],
  },
  {
    id: 'blind-16',
    story: 'tenant',
    ask: 'gateway error rate since 11:00 for us-east vs eu-west',
    expect: (facts) => [
      { kind: 'number', quantity: 'ratio', value: errorRatio(fromRegion(facts, 'us-east')), of: 'us-east' },
      // One failure in some four hundred requests: 0.2 % is as good an answer as 0.24 %.
      {
        kind: 'number',
        quantity: 'ratio',
        value: errorRatio(fromRegion(facts, 'eu-west')),
        within: 0.2,
        of: 'eu-west',
      },
    ],
  },
  {
    id: 'blind-17',
    story: 'tenant',
    ask: 'what do the error logs of auth say',
    expect: (facts) => [{ kind: 'says', all: topError(facts, 'auth') }],
  },
  {
    id: 'blind-18',
    story: 'tenant',
    ask: 'top 2 customers by requests on the gateway?',
    expect: (facts) => {
      const names = rankNames(
        requestsOf(facts, 'gateway', 0, facts.nowMs),
        ({ attributes }) => attributes['customer.id'] ?? '',
        sizeOf,
      );
      return [{ kind: 'says', all: names.slice(0, 2), none: names.slice(4, 5) }];
    },
  },
  {
    id: 'blind-19',
    story: 'tenant',
    ask: 'whats the error rate of the billing service',
    expect: () => [{ kind: 'empty' }],
  },
  {
    id: 'blind-20',
    story: 'tenant',
    ask: 'How slow was payment yesterday between 15:00 and 16:00?',
    expect: () => [{ kind: 'empty' }],
  },
];
