import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callTool,
  MINUTE_MS,
  openTelemetryFixture,
  spanRow,
  T0_MS,
  type TelemetryFixture,
} from '../fixture.contract.ts';
import { compareAttributes } from './compare-attributes.ts';

let fixture: TelemetryFixture;

beforeAll(async () => {
  // 100 requests: customer 7 sends every tenth; nine of its ten fail and are slow, of the others one in ninety fails.
  const requests = Array.from({ length: 100 }, (_, index) => {
    const isSeven = index % 10 === 0;
    const isError = isSeven ? index !== 0 : index === 55;
    return spanRow({
      trace: `r${index}`,
      span: 'in',
      service: 'web',
      name: 'GET /',
      atMs: index * 1_000,
      durationMs: isError ? 900 : 10,
      status: isError ? 'Error' : 'Unset',
      attributes: {
        'customer.id': isSeven ? 'seven' : `other-${index % 7}`,
        'request.id': `id-${index}`,
        'http.response.status_code': isError ? '500' : '200',
        ...(index % 2 === 0 ? { cached: 'true' } : {}),
      },
      resource: { 'k8s.pod.name': `web-${index % 4}`, 'cloud.region': 'eu' },
    });
  });
  const normal = Array.from({ length: 40 }, (_, index) =>
    spanRow({
      trace: `n${index}`,
      span: 'in',
      service: 'web',
      name: 'GET /',
      atMs: -10 * MINUTE_MS + index * 1_000,
      durationMs: 10 + index,
    }),
  );
  const inner = spanRow({
    trace: 'r10',
    span: 'x',
    parent: 'in',
    service: 'web',
    name: 'inner',
    kind: 'Internal',
    atMs: 10_000,
    durationMs: 1,
    status: 'Error',
    attributes: { 'customer.id': 'inside' },
  });
  fixture = await openTelemetryFixture({ otel_traces: [...requests, ...normal, inner] });
});
afterAll(() => fixture?.close());

const window = { startMs: T0_MS, endMs: T0_MS + 5 * MINUTE_MS };
const baseline = { startMs: T0_MS - 10 * MINUTE_MS, endMs: T0_MS };

test('finds the customer behind failing requests, and keeps ids, constants and outcomes from hiding it', async () => {
  const { output } = await callTool(fixture, compareAttributes, { window, service: 'web', split: 'failing' });
  expect(output).toMatchObject({ affectedTotal: 10, otherTotal: 90 });
  expect(output.attributes[0]).toMatchObject({
    source: 'span',
    key: 'customer.id',
    value: 'seven',
    affectedCount: 9,
    otherCount: 1,
    affectedShare: 0.9,
    otherShare: 0.0111,
    isOutcome: false,
  });
  // ln(9.5 * 89.5 / (1.5 * 1.5)) over sqrt(1/9.5 + 1/1.5 + 1/1.5 + 1/89.5)
  expect(output.attributes[0]?.zScore).toBeCloseTo(5.938 / 1.2042, 2);
  expect(output.attributes[0]?.lift).toBeCloseTo(9.5 / 11 / (1.5 / 91), 2);
  const keys = output.attributes.map(({ key }) => key);
  expect(keys).toContain('cached');
  expect(keys).not.toContain('request.id');
  expect(keys).not.toContain('cloud.region');
  expect(output.attributes.at(-1)).toMatchObject({ key: 'http.response.status_code', value: '500', isOutcome: true });
});

test('splits by slowness against the baseline of the operation', async () => {
  const { output } = await callTool(fixture, compareAttributes, {
    window,
    baseline,
    split: 'slow',
    operation: 'GET /',
  });
  expect(output).toMatchObject({ affectedTotal: 10, otherTotal: 90 });
  expect(output.attributes.find(({ isOutcome }) => !isOutcome)).toMatchObject({
    key: 'customer.id',
    value: 'seven',
    affectedCount: 9,
  });
});

test('says so when nothing stands out', async () => {
  const { output } = await callTool(fixture, compareAttributes, { window: baseline, split: 'failing' });
  expect(output).toEqual({ affectedTotal: null, otherTotal: null, attributes: [], totalRows: 0, truncated: false });
});

test('keeps to the limit asked for', async () => {
  const { output } = await callTool(fixture, compareAttributes, { window, split: 'failing', limit: 1 });
  expect(output.attributes).toHaveLength(1);
  expect(output.truncated).toBe(true);
});
