import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SpanRow } from '../../clickhouse/telemetry-rows.ts';
import {
  callTool,
  MINUTE_MS,
  openTelemetryFixture,
  type SpanWords,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { rankErrorOrigins } from './rank-error-origins.ts';

let fixture: TelemetryFixture;

/** One trace every ten seconds: 62 of normal time, then 10 of trouble from the second candidate onset on. */
const ONSET_MS = 20_000;
const OFFSETS_MS = Array.from({ length: 72 }, (_, index) => -600_000 + index * 10_000);
const WINDOW = { startMs: T0_MS - 10 * MINUTE_MS, endMs: T0_MS + 2 * MINUTE_MS };
const ONSETS = { firstMs: T0_MS, stepSeconds: 20, count: 4 };

/** Each kind of request is a trace of its own; `fail` marks what fails in trouble. */
type Request = (fail: 'Unset' | 'Error', index: number) => readonly Omit<SpanWords, 'trace' | 'atMs' | 'durationMs'>[];

const REQUESTS: Readonly<Record<string, Request>> = {
  // Everything from the query up to the page fails; it began with the query.
  deep: (status) => [
    { span: 'web', service: 'web', name: 'GET /', status },
    { span: 'call', parent: 'web', service: 'web', name: 'call stock', kind: 'Client', status },
    { span: 'stock', parent: 'call', service: 'stock', name: '/stock', status },
    { span: 'query', parent: 'stock', service: 'stock', name: 'query', kind: 'Internal', status },
  ],
  // The call fails, the callee says it is fine: it was lost on the way, or gave up on.
  lost: (status) => [
    { span: 'app', service: 'app', name: 'GET /app', status },
    { span: 'call', parent: 'app', service: 'app', name: 'call pay', kind: 'Client', status },
    { span: 'pay', parent: 'call', service: 'pay', name: '/pay', status: 'Ok' },
  ],
  // Nobody answers who sends telemetry.
  outside: (status) => [
    { span: 'bill', service: 'bill', name: 'POST /bill', status },
    {
      span: 'call',
      parent: 'bill',
      service: 'bill',
      name: 'POST',
      kind: 'Client',
      status,
      message: 'getaddrinfo ENOTFOUND bank.example',
      attributes: { 'server.address': 'bank.example' },
    },
  ],
  // The first try fails, the second succeeds: the caller is fine.
  retried: (status) => [
    { span: 'shop', service: 'shop', name: 'GET /shop' },
    { span: 'try1', parent: 'shop', service: 'shop', name: 'call mail', kind: 'Client', status },
    { span: 'mail1', parent: 'try1', service: 'mail', name: '/mail', status },
    { span: 'try2', parent: 'shop', service: 'shop', name: 'call mail', kind: 'Client' },
    { span: 'mail2', parent: 'try2', service: 'mail', name: '/mail' },
  ],
  // Fails after a call, made without a client span, that went well.
  own: (status) => [
    { span: 'cart', service: 'cart', name: 'GET /cart', status },
    { span: 'price', parent: 'cart', service: 'price', name: '/price' },
  ],
  // Fails in half of its requests, always.
  usual: (_, index) => [
    { span: 'noisy', service: 'noisy', name: 'GET /noisy', status: index % 2 === 0 ? 'Error' : 'Unset' },
  ],
  // Fails in one of ten requests in normal time too.
  worse: (status, index) => [
    { span: 'feed', service: 'feed', name: 'GET /feed', status: index % 10 === 0 ? 'Error' : status },
  ],
};

function requestSpans(atMs: number, index: number): SpanRow[] {
  const status = atMs >= ONSET_MS ? 'Error' : 'Unset';
  return Object.entries(REQUESTS).flatMap(([kind, spans]) =>
    spans(status, index).map((words) => spanRow({ ...words, trace: `${kind}${index}`, atMs, durationMs: 1 })),
  );
}

beforeAll(async () => {
  const spans = OFFSETS_MS.flatMap(requestSpans);
  // Everything from the first candidate on is delivered twice.
  const again = spans.filter(({ Timestamp }) => Timestamp >= `${T0_MS}000000`);
  fixture = await openTelemetryFixture({ otel_traces: [...spans, ...again] });
});

afterAll(() => fixture.close());

async function origins() {
  const { output } = await callTool(fixture, rankErrorOrigins, { window: WINDOW, onsets: ONSETS });
  return new Map(output.origins.map((origin) => [origin.service, origin]));
}

test('failures are blamed on where they began, once a request, since the right candidate', async () => {
  const found = await origins();
  const begun = { windowFailures: 10, windowUnits: 10, normalFailures: 0, normalUnits: 62, onsetMs: T0_MS + ONSET_MS };
  // At least 10.5/11 less 1.64 errors, at the most 0.5/63 plus 1.64 errors: far more than thirty times.
  for (const service of ['stock', 'pay', 'bank.example', 'mail', 'cart']) {
    const isPeer = service === 'bank.example';
    const reason = isPeer ? 'name-resolution' : 'errors';
    expect(found.get(service), service).toEqual({ service, strength: 1, ...begun, isPeer, isOutside: isPeer, reason });
  }
  expect(found.get('feed')).toMatchObject({ windowFailures: 10, normalFailures: 7, onsetMs: T0_MS + ONSET_MS });
  // From at most 7.5/63 + 1.64 errors = 18.6 % to at least 85 %: log10(4.58) / 1.5 or a difference of 71 %.
  const [share, usual] = [10.5 / 11, 7.5 / 63];
  const error = Math.sqrt((share * (1 - share)) / 11 + (usual * (1 - usual)) / 63);
  expect(found.get('feed')?.strength).toBeCloseTo(share - usual - 1.64 * error, 9);
});

test('who only passes failures on, retries them away, or always fails that often is no origin', async () => {
  const found = await origins();
  for (const service of ['web', 'app', 'bill', 'shop', 'price', 'noisy'])
    expect(found.has(service), service).toBe(false);
  expect(found.size).toBe(6);
});

test('a window without telemetry has no origins, and evidence of it', async () => {
  const window = { startMs: T0_MS - 20 * MINUTE_MS, endMs: T0_MS - 15 * MINUTE_MS };
  const onsets = { firstMs: window.startMs + MINUTE_MS, stepSeconds: 20, count: 3 };
  const { output, evidence } = await callTool(fixture, rankErrorOrigins, { window, onsets });
  expect(output).toEqual({ origins: [], totalRows: 0, truncated: false });
  expect(evidence.queries).toMatchObject([{ rowCount: 0 }]);
});
