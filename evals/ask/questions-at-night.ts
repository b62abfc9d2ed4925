/** Twenty questions by somebody who had not seen how questions are read; since then, answers were improved by them. */
import type { ChangeInput } from '../../domain/change.ts';
import type { AskQuestion } from './ask-question.ts';
import type { StoryFacts } from './ask-stories.ts';
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
  ratioOf,
  says,
  valuesOf,
} from './question-parts.ts';

const p95 = (group: { durationMs: number }[]) =>
  quantile(
    group.map(({ durationMs }) => durationMs),
    0.95,
  );

/** Versions deployed in a stretch of time, of some services or of all. */
function deployed({ changes }: StoryFacts, fromMs: number, services?: readonly string[]): string[] {
  const isWanted = ({ kind, service, at: when = '' }: ChangeInput) =>
    kind === 'deploy' && Date.parse(when) >= fromMs && (services?.includes(service) ?? true);
  return changes.filter(isWanted).map(({ version }) => version);
}

export const NIGHT_QUESTIONS: readonly AskQuestion[] = [
  question('night-01', 'deploy', 'what got shipped in the last 15 min', (facts) =>
    // One deploy lies on the very edge.
    says(...deployed(facts, minutesAgo(14))),
  ),
  question('night-02', 'deploy', 'cart error rate before 10:57 vs after 11:00?', (facts) => [
    { ...ratioOf(facts, 'cart', ONSET_MS), of: 'error rate' },
    { ...ratioOf(facts, 'cart', EVER, at(10, 57)), of: 'error rate' },
  ]),
  question('night-03', 'deploy', 'Which gateway endpoints are returning 5xx since 11:00, worst one first?', (facts) => {
    const failed = requestsOf(facts, 'gateway', ONSET_MS, NOW_MS).filter((span) => span.failed);
    const [worst = '', second = ''] = rankNames(
      failed,
      ({ operation }) => operation,
      (group) => group.length,
    );
    return says(worst, second);
  }),
  question(
    'night-04',
    'deploy',
    'and what was it at 10:50?',
    (facts) => ({ ...durationOf(facts, 'gateway', 0.99, at(10, 45), at(10, 55), 'POST /checkout'), within: 0.3 }),
    'p99 of POST /checkout right now',
  ),
  question('night-05', 'deploy', 'most common error log line from cart since 11', ({ lines }) => {
    const errors = lines.filter(
      ({ service, severity, atMs }) => service === 'cart' && severity === 'ERROR' && atMs >= ONSET_MS,
    );
    const [common = '?'] = rankNames(
      errors,
      ({ body }) => body.replace(/\w*\d\w*.*/, ''),
      (group) => group.length,
    );
    return says(errors.find(({ body }) => body.startsWith(common))?.body.slice(0, 45) ?? '?');
  }),
  question('night-06', 'deploy', 'Could you please tell me which version of cart was running at 10:45?', ({ spans }) =>
    says(spans.findLast(({ service, startMs }) => service === 'cart' && startMs < at(10, 45))?.version ?? '?'),
  ),
  question('night-07', 'deploy', 'did the warehouse-sync service throw any errors in the last 5 minutes', () => [
    { kind: 'empty' },
    says('warehouse-sync'),
  ]),
  question('night-08', 'pool', 'why is checkout so slow all of a sudden??', (facts) => first(facts.truth.service)),
  question('night-09', 'pool', 'orders-db connections in use vs max on order, peak since 11:00', (facts) => {
    const used = facts.points.filter(
      ({ service, metric, attributes, atMs }) =>
        service === 'order' &&
        metric === 'db.client.connection.count' &&
        attributes['db.client.connection.state'] === 'used' &&
        atMs >= ONSET_MS,
    );
    return number('plain', Math.max(...used.map(({ value }) => value)));
  }),
  question('night-10', 'pool', 'how many requsts to order failed between 11:00 and 11:05', (facts) =>
    number('count', failuresOf(facts, 'order', ONSET_MS)),
  ),
  question('night-11', 'pool', 'who calls order', () => says('checkout', 'gateway')),
  question('night-12', 'pool', 'top 3 services by p95 latency, last 5 min', (facts) => {
    const [one = '', two = '', three = ''] = rankNames(
      requestsOf(facts, '', minutesAgo(5), NOW_MS),
      ({ service }) => service,
      p95,
    );
    return [first(one), says(one, two, three)];
  }),
  question(
    'night-13',
    'pool',
    'Show me the slowest trace through POST /checkout after 11:00 and tell me which service ate most of the time.',
    (facts) => {
      const slowest = requestsOf(facts, 'gateway', ONSET_MS, NOW_MS)
        .filter(({ operation }) => operation === 'POST /checkout')
        .toSorted((left, right) => right.durationMs - left.durationMs)[0];
      return says(slowest?.traceId.slice(0, 8) ?? '?', facts.truth.service);
    },
  ),
  question('night-14', 'pool', 'any deploys or flag flips between 10:40 and 11:05 on order or checkout?', (facts) =>
    says(...deployed(facts, at(10, 40), ['order', 'checkout'])),
  ),
  question('night-15', 'tenant', 'which region is getting hosed', () => says('us-east')),
  question(
    'night-16',
    'tenant',
    'what percentage of auth requests from us-east failed since 11:00, and what about every other region?',
    (facts) => {
      const requests = requestsOf(facts, 'auth', ONSET_MS, NOW_MS);
      const ofRegion = requests.filter(({ attributes }) => attributes['region'] === 'us-east');
      return [number('ratio', errorRatio(ofRegion), { of: 'us-east' }), says('eu-west')];
    },
  ),
  question('night-17', 'tenant', 'is auth cpu pegged? highest value after 11:00', (facts) => {
    const values = valuesOf(facts, 'auth', 'container.cpu.utilization', ONSET_MS).map(({ value }) => value);
    return number('ratio', Math.max(...values));
  }),
  question(
    'night-18',
    'tenant',
    'how many distinct customers got an error on POST /login from 11:00 to 11:05 UTC',
    (facts) => {
      const failed = requestsOf(facts, 'gateway', ONSET_MS, NOW_MS).filter(
        (span) => span.failed && span.operation === 'POST /login',
      );
      return number('count', new Set(failed.map(({ attributes }) => attributes['customer.id'])).size);
    },
  ),
  question('night-19', 'tenant', "how much revenue will we lose tomorrow if we don't fix this tonight?", () => ({
    kind: 'declines',
  })),
  question(
    'night-20',
    'tenant',
    'Is the gateway itself broken, or are its errors coming from something downstream, and if so which service?',
    (facts) => first(facts.truth.service),
  ),
];
