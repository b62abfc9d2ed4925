import { describe, expect, test } from 'vitest';
import type { Names } from './names.ts';
import type { Question } from './question.ts';
import { type ReadQuestion, readQuestion } from './read-question.ts';
import { readTime } from './read-time.ts';
import { suggestQuestions } from './suggest-questions.ts';

const NOW_MS = Date.UTC(2026, 2, 4, 11, 5);
const NAMES: Names = {
  services: ['web', 'search', 'order', 'payment-service', 'orders-db', 'user'],
  operations: [
    { service: 'web', operation: 'GET /items/{id}' },
    { service: 'order', operation: 'shop.v1.Orders/CreateOrder' },
  ],
  metrics: ['container.cpu.utilization', 'db.client.connection.pending_requests', 'jvm.memory.used'].map((metric) => ({
    metric,
    unit: '',
    kind: 'gauge',
  })),
  attributes: ['region', 'customer.id', 'tenant.tier'],
  values: [
    { key: 'region', value: 'us-east' },
    { key: 'region', value: 'eu-west' },
    { key: 'tenant.tier', value: 'enterprise' },
    { key: 'kind', value: 'error' },
  ],
  extent: { startMs: 0, endMs: NOW_MS },
};

function read(text: string, previous?: Question): ReadQuestion {
  const { time, rest } = readTime(text, NOW_MS);
  return readQuestion(rest, time, NAMES, NOW_MS, previous);
}

function understood(text: string, previous?: Question): Question {
  const result = read(text, previous);
  if (result.kind !== 'question') throw new Error(`${text}: ${JSON.stringify(result)}`);
  return result.question;
}

describe('a question is about', () => {
  test.each([
    ['rps of web', { topic: 'requests', measures: ['rate'], services: ['web'] }],
    ['how many requests per second does web get?', { topic: 'requests', measures: ['rate'], services: ['web'] }],
    ['how many requests did web serve', { topic: 'requests', measures: ['count'] }],
    ["what's the p99 latency of order?", { topic: 'requests', measures: ['p99'], services: ['order'] }],
    ['how slow is GET /items/{id}', { topic: 'requests', measures: ['p95'], operation: 'GET /items/{id}' }],
    ['p95 of CreateOrder', { topic: 'requests', operation: 'shop.v1.Orders/CreateOrder' }],
    ['error rate of payment', { topic: 'requests', measures: ['errorRatio'], services: ['payment-service'] }],
    ['errors by region', { topic: 'requests', measures: ['errors'], by: ['attribute.region'] }],
    ['errors of web per customer', { topic: 'requests', by: ['attribute.customer.id'] }],
    ['errors for region us-east', { topic: 'requests', filters: [{ key: 'region', value: 'us-east' }] }],
    [
      'p95 of web for enterprise customers',
      { services: ['web'], filters: [{ key: 'tenant.tier', value: 'enterprise' }] },
    ],
    ['how many errors of web', { filters: [] }],
    ['traces slower than 2s', { topic: 'traces', minDurationMs: 2_000 }],
    ['how many requests over 500 ms', { topic: 'requests', minDurationMs: 500 }],
    ['top customers by errors', { topic: 'requests', by: ['attribute.customer.id'] }],
    ['error rate per version of web', { topic: 'requests', by: ['version'] }],
    ['did web get slower after the deploy', { topic: 'comparison', kinds: ['deploy'] }],
    ['when did the errors start', { topic: 'why' }],
    ['did the error rate of web go up after 10:30', { topic: 'comparison', measures: ['errorRatio'] }],
    ['show me all 500 errors on web', { topic: 'requests', limit: undefined }],
    ['count of errors by region', { topic: 'requests', by: ['attribute.region'] }],
    ['how many customers are affected', { topic: 'distinct', by: ['attribute.customer.id'], failing: true }],
    ['unique customers of web', { topic: 'distinct', failing: false }],
    ['most common error lines of web', { topic: 'log-kinds', severity: 'error' }],
    ['what percentage of requests to web failed', { topic: 'requests', measures: ['errorRatio'] }],
    ['failures of web in us-east and every other region', { by: ['attribute.region'], filters: [] }],
    ['do the errors of web come from somewhere downstream', { topic: 'error-origins' }],
    ['which region is hosed', { topic: 'requests', measures: ['errors'], by: ['attribute.region'] }],
    ['who is calling order?', { topic: 'callers', services: ['order'] }],
    [
      'error rate of web for us-east vs eu-west',
      { topic: 'requests', by: ['attribute.region'], filters: [{ value: 'us-east' }, { value: 'eu-west' }] },
    ],
    ['what do the error logs of web say', { topic: 'logs', text: undefined }],
    ['what does web call', { topic: 'callees', services: ['web'] }],
    ['which services call order', { topic: 'callers', services: ['order'] }],
    ['how many pods does web have', { topic: 'distinct', by: ['pod'] }],
    ['errors of web since the deploy', { topic: 'comparison', kinds: ['deploy'] }],
    ['did cpu of web spike', { topic: 'metric', services: ['web'] }],
    ['which service has the most errors', { topic: 'requests', by: ['service'], order: 'most' }],
    ['fastest services', { topic: 'requests', measures: ['p95'], by: ['service'], order: 'least' }],
    ['top 3 services by error rate', { topic: 'requests', by: ['service'], limit: 3 }],
    ['p95 of web over time', { topic: 'requests', stepSeconds: 60 }],
    ['how is web doing', { topic: 'requests', measures: [], services: ['web'] }],
    ['web?', { topic: 'requests', services: ['web'] }],
    ['compare web and order', { topic: 'requests', services: ['web', 'order'], by: ['service'] }],
    ['compare web before and after 10:00', { topic: 'comparison', services: ['web'] }],
    ['is web slower than usual', { topic: 'comparison' }],
    ['which operations changed most', { topic: 'shifts' }],
    ['which metrics changed most', { topic: 'metric-shifts' }],
    ['which metrics does orders-db have', { topic: 'metric-names', services: ['orders-db'] }],
    ['cpu of web', { topic: 'metric', metricWords: ['cpu'] }],
    [
      'db.client.connection.pending_requests of order',
      { topic: 'metric', metric: 'db.client.connection.pending_requests' },
    ],
    ['which pod of search uses the most cpu', { topic: 'metric', services: ['search'], by: ['pod'] }],
    ['what changed?', { topic: 'changes', kinds: [] }],
    ['was anything deployed to web', { topic: 'changes', kinds: ['deploy'], services: ['web'] }],
    ['which feature flags were flipped', { topic: 'changes', kinds: ['flag'] }],
    ['which version of web is running', { topic: 'versions' }],
    ['error logs of order', { topic: 'logs', severity: 'error' }],
    ['search the logs for connection refused', { topic: 'logs', services: [], text: 'connection refused' }],
    ['logs containing "a b"', { topic: 'logs', text: 'a b' }],
    ['how many warnings did web log', { topic: 'log-counts', severity: 'warn' }],
    ['new log messages', { topic: 'log-patterns' }],
    ['slowest traces of web', { topic: 'traces', failing: false }],
    ['show me a failed request of web', { topic: 'traces', failing: true }],
    ['who calls order', { topic: 'callers', services: ['order'] }],
    ['what does web depend on', { topic: 'callees' }],
    ['where do the errors come from', { topic: 'error-origins' }],
    ['which customers are affected by the errors of web', { topic: 'affected', services: ['web'] }],
    ['why is web slow', { topic: 'why', services: ['web'] }],
    ["what's wrong?", { topic: 'why' }],
    ['show trace 0123456789abcdef0123456789abcdef', { topic: 'trace', traceId: '0123456789abcdef0123456789abcdef' }],
  ] as const)('%s', (text, expected) => expect(understood(text)).toMatchObject(expected));
});

describe('what is not understood', () => {
  test.each([
    [
      'what will the weather be tomorrow?',
      { kind: 'not-understood', words: ['weather'], reasons: [expect.stringContaining('time')] },
    ],
    ['how many users bought shoes', { kind: 'not-understood', words: ['bought', 'shoes'] }],
    ['asdf', { kind: 'not-understood' }],
    ['', { kind: 'not-understood' }],
    [
      'errors of web not in us-east',
      { kind: 'not-understood', reasons: [expect.stringContaining('leaves something out')] },
    ],
    ['which services do not have errors', { kind: 'not-understood' }],
    ['services with more than 100 errors', { kind: 'not-understood' }],
    ['errors of web excluding us-east', { kind: 'not-understood' }],
    ['errors of customer 42', { kind: 'question', notes: ['"42" was not understood and left out.'] }],
    ['p95 of web 10:30', { kind: 'not-understood' }],
    ['errors of web last month', { kind: 'not-understood' }],
    ['errors since monday', { kind: 'not-understood' }],
    ['p95 of "billing"', { kind: 'unknown-name', name: 'billing' }],
    ['restart web', { kind: 'action' }],
    ['roll back the deploy of web', { kind: 'action' }],
    ['is the db slow', { kind: 'unknown-name', name: 'db' }],
    ['did the warehouse-sync service throw any errors', { kind: 'unknown-name', name: 'warehouse-sync' }],
    ['p95 of billing', { kind: 'unknown-name', name: 'billing' }],
    ['errors of cart', { kind: 'unknown-name', name: 'cart' }],
  ])('%s', (text, expected) => expect(read(text)).toMatchObject(expected));

  test('is named when the rest is answered', () => {
    expect(read('p95 of web purple')).toMatchObject({ notes: ['"purple" was not understood and left out.'] });
    expect(read('eror rate of ordr')).toMatchObject({
      question: { services: ['order'], measures: ['errorRatio'] },
      notes: ['"eror" was read as error.', '"ordr" was read as order.'],
    });
  });

  test('is told, too, when an answer cannot heed it', () => {
    const leftOut = (text: string) => read(text) as { notes: readonly string[] };
    expect(leftOut('where do the errors of web come from').notes).toEqual([
      'Left out, because this answer cannot tell it apart: web.',
    ]);
    expect(leftOut('error logs of web and order for region us-east').notes).toEqual([
      'Left out, because this answer cannot tell it apart: order and region us-east.',
    ]);
    expect(leftOut('errors of web and order for region us-east').notes).toEqual([]);
    expect(leftOut('cpu of web and order').notes).toEqual([]);
  });

  test('is met with the nearest questions, about what there is', () => {
    expect(suggestQuestions('deployments to web plz', NAMES)[0]).toBe('deploys of web today');
    expect(suggestQuestions('gibberish', NAMES)).toHaveLength(3);
  });
});

describe('a follow-up', () => {
  const first = understood('p95 of web in the last 5 minutes');

  test('keeps what it does not replace', () => {
    expect(understood('and order?', first)).toMatchObject({ measures: ['p95'], services: ['order'], time: first.time });
    expect(understood('same by region', first)).toMatchObject({ services: ['web'], by: ['attribute.region'] });
    expect(understood('and between 9:00 and 10:00?', first)).toMatchObject({
      services: ['web'],
      time: { window: { startMs: Date.UTC(2026, 2, 4, 9), endMs: Date.UTC(2026, 2, 4, 10) } },
    });
  });

  test('may ask for something else of the same place and time', () => {
    expect(understood('and errors?', first)).toMatchObject({
      topic: 'requests',
      measures: ['errors'],
      time: first.time,
    });
    expect(understood('and why?', first)).toMatchObject({ topic: 'why', services: ['web'], time: first.time });
    expect(understood('and cpu', first)).toMatchObject({ topic: 'metric', services: ['web'], metricWords: ['cpu'] });
    const cpu = understood('cpu of web');
    expect(understood('and memory', cpu)).toMatchObject({ topic: 'metric', metricWords: ['memory'] });
    expect(read('and restart web', first)).toEqual({ kind: 'action' });
    expect(read('thanks', first)).toMatchObject({ kind: 'not-understood' });
  });

  test('is none when it asks for something of its own', () => {
    expect(understood('what changed?', first)).toMatchObject({ topic: 'changes', services: [] });
  });
});
