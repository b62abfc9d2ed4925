/** Questions about changes, logs, metrics, traces and dependencies, about causes, and some that have no answer. */
import type { AskQuestion } from './ask-question.ts';
import { mean, rankNames, requestsOf } from './observed-facts.ts';
import {
  at,
  EVER,
  failuresOf,
  first,
  minutesAgo,
  NOW_MS,
  number,
  ONSET_MS,
  question,
  says,
  valuesOf,
} from './question-parts.ts';

const CPU = 'container.cpu.utilization';
const PENDING = 'db.client.connection.pending_requests';

export const SIGNAL_QUESTIONS: readonly AskQuestion[] = [
  question('changes-01', 'deploy', 'what changed?', (facts) => {
    const done = facts.changes.find(({ id }) => id === facts.truth.changeId);
    return says(done?.service ?? '', done?.version ?? '');
  }),
  question('changes-02', 'deploy', 'deploys in the last hour', (facts) => {
    const deploys = facts.changes.filter(
      ({ kind, at: when = '' }) => kind === 'deploy' && Date.parse(when) >= at(10, 5),
    );
    return says(...deploys.map(({ version }) => version));
  }),
  question('changes-03', 'pool', 'was anything deployed to checkout today?', (facts) =>
    says(facts.changes.find(({ kind, service }) => kind === 'deploy' && service === 'checkout')?.version ?? '?'),
  ),
  question('changes-04', 'tenant', 'which feature flags were flipped since 10:30?', (facts) =>
    says(facts.changes.find(({ kind }) => kind === 'flag')?.summary ?? '?'),
  ),
  question('changes-05', 'deploy', 'commits to cart since 10:00', (facts) =>
    says(facts.changes.find(({ kind, service }) => kind === 'commit' && service === 'cart')?.summary ?? '?'),
  ),
  question('changes-06', 'pool', 'was payment deployed between 10:45 and 11:00?', () => ({ kind: 'empty' })),
  question('changes-07', 'deploy', 'which version of cart is running?', (facts) =>
    says(facts.spans.findLast(({ service }) => service === 'cart')?.version ?? '?'),
  ),
  question('logs-01', 'pool', 'error logs of order since 11:00', () => says('Connection is not available')),
  question('logs-02', 'pool', 'how many error lines did order log in the last 5 minutes?', (facts) =>
    number(
      'count',
      facts.lines.filter(
        ({ service, severity, atMs }) => service === 'order' && severity === 'ERROR' && atMs >= minutesAgo(5),
      ).length,
    ),
  ),
  question('logs-03', 'pool', 'logs containing "HikariPool"', () => says('HikariPool', 'order')),
  question('logs-04', 'deploy', 'new log messages since 11:00', (facts) => says(facts.truth.service)),
  question('logs-05', 'deploy', 'show the last 5 log lines of cart', (facts) =>
    says(
      facts.lines
        .filter(({ service }) => service === 'cart')
        .toSorted((left, right) => left.atMs - right.atMs)
        .at(-1)
        ?.body.slice(0, 30) ?? '?',
    ),
  ),
  question('logs-06', 'tenant', 'which service logs the most warnings?', (facts) =>
    first(
      rankNames(
        facts.lines.filter(({ severity }) => severity === 'WARN'),
        ({ service }) => service,
        (group) => group.length,
      )[0],
    ),
  ),
  question('metrics-01', 'pool', 'cpu of checkout in the last 10 minutes', (facts) =>
    number('ratio', mean(valuesOf(facts, 'checkout', CPU, minutesAgo(10)).map(({ value }) => value)), { within: 0.1 }),
  ),
  question('metrics-02', 'pool', 'pending connections of order since 11:00', (facts) => {
    const values = valuesOf(facts, 'order', PENDING, ONSET_MS).map(({ value }) => value);
    return number('plain', Math.max(...values), { within: 0.02 });
  }),
  question('metrics-03', 'pool', 'which metrics does orders-db have?', () => says('postgresql.backends')),
  question('metrics-04', 'deploy', 'max memory utilization of catalog', (facts) =>
    number(
      'ratio',
      Math.max(...valuesOf(facts, 'catalog', 'container.memory.utilization', EVER).map(({ value }) => value)),
      { within: 0.03 },
    ),
  ),
  question('metrics-05', 'pool', 'which pod of search uses the most CPU?', (facts) => {
    const values = valuesOf(facts, 'search', CPU, EVER);
    return says(
      rankNames(
        values,
        ({ pod }) => pod,
        (group) => mean(group.map(({ value }) => value)),
      )[0] ?? '?',
    );
  }),
  question('metrics-06', 'pool', 'which metrics changed most since 11:00?', () => says('db.client.connection')),
  question('traces-01', 'pool', 'slowest traces of checkout since 11:00', (facts) => {
    const slowest = requestsOf(facts, 'checkout', ONSET_MS, NOW_MS).toSorted(
      (left, right) => right.durationMs - left.durationMs,
    )[0];
    // The root lasts a little longer than what it waits for.
    return number('duration', slowest?.durationMs ?? Number.NaN, {
      within: 0.05,
      of: slowest?.traceId.slice(0, 8) ?? '?',
    });
  }),
  question('traces-02', 'tenant', 'show me a failed request of auth', (facts) => ({
    kind: 'saysOne',
    of: requestsOf(facts, 'auth', EVER, NOW_MS)
      .filter(({ failed }) => failed)
      .map(({ traceId }) => traceId.slice(0, 8)),
  })),
  question('graph-01', 'pool', 'who calls order?', () => says('checkout', 'gateway')),
  question('graph-02', 'deploy', 'what does checkout depend on?', () =>
    says('cart', 'pricing', 'inventory', 'shipping', 'fraud', 'payment', 'order'),
  ),
  question('why-01', 'deploy', 'why is checkout failing since 11:00?', (facts) => first(facts.truth.service)),
  question('why-02', 'pool', "what's wrong?", (facts) => says(facts.truth.service)),
  question('why-03', 'tenant', 'what is the root cause of the errors since 11:00', (facts) =>
    first(facts.truth.service),
  ),
  question('none-01', 'deploy', 'p95 of billing in the last 10 minutes', () => [{ kind: 'empty' }, says('billing')]),
  question('none-02', 'deploy', 'errors of cart between 8:00 and 9:00', () => ({ kind: 'empty' })),
  question('none-03', 'pool', 'what will the weather be tomorrow?', () => ({ kind: 'declines' })),
  question('none-04', 'tenant', 'restart the auth service', () => ({ kind: 'declines' })),
  question('typo-01', 'tenant', 'eror rate of auht since 11:00', (facts) =>
    number('ratio', failuresOf(facts, 'auth', ONSET_MS) / requestsOf(facts, 'auth', ONSET_MS, NOW_MS).length),
  ),
];
