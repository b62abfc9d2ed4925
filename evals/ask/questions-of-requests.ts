/** Questions about how much, how fast and how well: rates, durations, errors, the most of something, comparisons. */
import type { AskQuestion } from './ask-question.ts';
import { errorRatio, quantile, rankNames, requestsOf } from './observed-facts.ts';
import {
  at,
  durationOf,
  EVER,
  failuresOf,
  first,
  minutesAgo,
  NOW_MS,
  number,
  ONSET_MS,
  question,
  rateOf,
  ratioOf,
  says,
  window,
} from './question-parts.ts';

const byFailures = (group: { failed: boolean }[]) => group.filter(({ failed }) => failed).length;
const p95 = (group: { durationMs: number }[]) =>
  quantile(
    group.map(({ durationMs }) => durationMs),
    0.95,
  );

export const REQUEST_QUESTIONS: readonly AskQuestion[] = [
  question('rate-01', 'deploy', 'how many requests per second does checkout get?', (facts) =>
    // Any of the usual windows holds this rate to a fifth.
    number('perSecond', requestsOf(facts, 'checkout', EVER, NOW_MS).length / 1_500, { within: 0.25 }),
  ),
  question('rate-02', 'deploy', 'request rate of gateway since 11:00', (facts) => [
    rateOf(facts, 'gateway', ONSET_MS),
    window(ONSET_MS, NOW_MS),
  ]),
  question('rate-03', 'pool', 'How many requests did payment serve in the last 10 minutes?', (facts) =>
    number('count', requestsOf(facts, 'payment', minutesAgo(10), NOW_MS).length),
  ),
  question('rate-04', 'tenant', 'traffic on search between 10:45 and 10:55', (facts) => [
    rateOf(facts, 'search', at(10, 45), at(10, 55)),
    window(at(10, 45), at(10, 55)),
  ]),
  question('rate-05', 'pool', 'busiest services', (facts) =>
    first(
      rankNames(
        requestsOf(facts, '', EVER, NOW_MS),
        ({ service }) => service,
        (g) => g.length,
      )[0],
    ),
  ),
  question('latency-01', 'deploy', 'p95 of cart in the last 5 minutes', (facts) => [
    durationOf(facts, 'cart', 0.95, minutesAgo(5)),
    window(minutesAgo(5), NOW_MS),
  ]),
  question('latency-02', 'pool', "what's the p99 latency of checkout since 11:00?", (facts) =>
    durationOf(facts, 'checkout', 0.99, ONSET_MS),
  ),
  question('latency-03', 'pool', 'median response time of order between 10:40 and 10:55', (facts) =>
    durationOf(facts, 'order', 0.5, at(10, 40), at(10, 55)),
  ),
  question('latency-04', 'deploy', 'how slow is POST /checkout right now', (facts) =>
    durationOf(facts, 'gateway', 0.95, minutesAgo(5), NOW_MS, 'POST /checkout'),
  ),
  question('latency-05', 'deploy', 'average duration of pricing for the past 20 minutes', (facts) => {
    const durations = requestsOf(facts, 'pricing', minutesAgo(20), NOW_MS).map(({ durationMs }) => durationMs);
    return number('duration', durations.reduce((sum, value) => sum + value, 0) / durations.length, { within: 0.1 });
  }),
  question('latency-06', 'pool', 'slowest services since 11', (facts) =>
    first(rankNames(requestsOf(facts, '', ONSET_MS, NOW_MS), ({ service }) => service, p95)[0]),
  ),
  question('latency-07', 'pool', 'latency of order by operation in the last 5 min', (facts) =>
    ['CreateOrder', 'ListOrders'].map((name) => ({
      ...durationOf(facts, 'order', 0.95, ONSET_MS, NOW_MS, name),
      of: name,
    })),
  ),
  question('latency-08', 'deploy', 'show me checkout p95 over time', () => says('checkout', '11:0')),
  question('errors-01', 'deploy', 'error rate of checkout since 11:00', (facts) =>
    ratioOf(facts, 'checkout', ONSET_MS),
  ),
  question('errors-02', 'tenant', 'how many errors did auth have in the last 5 minutes?', (facts) =>
    number('count', failuresOf(facts, 'auth', minutesAgo(5))),
  ),
  question('errors-03', 'deploy', 'which service has the most errors', (facts) =>
    first(rankNames(requestsOf(facts, '', EVER, NOW_MS), ({ service }) => service, byFailures)[0]),
  ),
  question('errors-04', 'deploy', 'top 3 services by error rate since 11:00', (facts) => {
    const [one = '', two = '', three = ''] = rankNames(
      requestsOf(facts, '', ONSET_MS, NOW_MS),
      ({ service }) => service,
      (group) => errorRatio(group),
    );
    return [first(one), says(one, two, three)];
  }),
  question('errors-05', 'tenant', 'which endpoints of gateway fail?', (facts) =>
    says(
      rankNames(
        requestsOf(facts, 'gateway', ONSET_MS, NOW_MS),
        ({ operation }) => operation,
        (g) => byFailures(g),
      )[0] ?? '',
    ),
  ),
  question('errors-06', 'tenant', 'errors by region since 11:00', (facts) => {
    const failed = requestsOf(facts, 'gateway', ONSET_MS, NOW_MS).filter((span) => span.failed);
    return says(
      rankNames(
        failed,
        ({ attributes }) => attributes['region'] ?? '',
        (g) => g.length,
      )[0] ?? '',
    );
  }),
  question('errors-07', 'tenant', 'which customers are affected by the auth errors?', () => says('us-east')),
  question('errors-08', 'deploy', 'does payment have errors since 11:00?', (facts) =>
    number('count', failuresOf(facts, 'payment', ONSET_MS)),
  ),
  question('errors-09', 'pool', 'where do the errors come from?', (facts) => first(facts.truth.service)),
  question('compare-01', 'deploy', 'compare cart before and after 11:00', (facts) => [
    { ...durationOf(facts, 'cart', 0.95, at(10, 55), ONSET_MS), within: 0.35, of: 'p95' },
    { ...durationOf(facts, 'cart', 0.95, ONSET_MS), of: 'p95' },
  ]),
  question('compare-02', 'pool', 'is checkout slower than before?', () => ({
    kind: 'saysOne',
    of: ['slower', 'as slow', 'longer'],
  })),
  question('compare-03', 'pool', 'which operations changed most since 11:00?', () => ({
    kind: 'saysOne',
    of: ['CreateOrder', 'ListOrders', 'POST /orders', 'GET /orders'],
  })),
  question('compare-04', 'deploy', 'compare error rates of cart and payment since 11:00', (facts) => [
    { ...ratioOf(facts, 'cart', ONSET_MS), of: 'cart' },
    { ...ratioOf(facts, 'payment', ONSET_MS), of: 'payment' },
  ]),
  question(
    'follow-01',
    'deploy',
    'and payment?',
    (facts) => durationOf(facts, 'payment', 0.95, minutesAgo(5)),
    'p95 of cart in the last 5 minutes',
  ),
  question(
    'follow-02',
    'deploy',
    'and between 10:45 and 10:55?',
    (facts) => ratioOf(facts, 'cart', at(10, 45), at(10, 55)),
    'error rate of cart since 11:00',
  ),
  question(
    'follow-03',
    'pool',
    'same by operation',
    () => says('CreateOrder', 'ListOrders'),
    'p95 of order since 11:00',
  ),
];
