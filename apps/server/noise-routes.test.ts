/** Anomalies, feedback and rules over HTTP: who is recorded, what is refused, and what a list holds. */
import { beforeEach, expect, it } from 'vitest';
import { anomalyOf } from '../../detection/anomaly.fixture.ts';
import { tokenDigest } from '../../domain/identity.ts';
import { createApp } from './app.ts';
import { createMemoryHost, type MemoryHost, TOKEN } from './fixture.contract.ts';
import type { HostApp } from './host.ts';

let memory: MemoryHost;
let app: HostApp;
const sinceMs = Date.now() - 60_000;
const cart = anomalyOf('cart', 'latency', { sinceMs, deviation: 2 });
const hidden = anomalyOf('web', 'latency', { sinceMs, hiddenBy: 'rule_1' });

beforeEach(async () => {
  const identities = [{ name: 'lea', role: 'member' as const, tokenSha256: tokenDigest('token-of-lea') }];
  memory = createMemoryHost({ identities });
  app = createApp(memory.host);
  const records = [cart, hidden].map((anomaly) => ({ anomaly, incidentId: '' }));
  await memory.runtime.noiseParts.parts.anomalies.save(records);
});

async function call(method: 'GET' | 'POST', path: string, body?: object, token = TOKEN) {
  const response = await app.request(path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const idsOf = ({ body }: { body: Record<string, unknown> }) =>
  (body['anomalies'] as { anomaly: { anomalyId: string } }[]).map(({ anomaly }) => anomaly.anomalyId);

it('a list is of a span and a service, and holds what is hidden when asked', async () => {
  expect(idsOf(await call('GET', '/api/anomalies?since=5m'))).toEqual([cart.anomalyId]);
  expect(idsOf(await call('GET', '/api/anomalies?show=all&limit=2'))).toEqual([cart.anomalyId, hidden.anomalyId]);
  expect(idsOf(await call('GET', '/api/anomalies?show=all&service=web'))).toEqual([hidden.anomalyId]);
  for (const bad of ['since=soon', 'since=5m&until=10m', 'show=none', 'colour=red', 'limit=0']) {
    expect((await call('GET', `/api/anomalies?${bad}`)).status).toBe(400);
  }
});

it('what people say is recorded under their own name, whatever they call themselves', async () => {
  const given = await call(
    'POST',
    `/api/feedback/${cart.anomalyId}`,
    { judgement: 'noise', by: 'mallory' },
    'token-of-lea',
  );
  expect(given.body).toMatchObject({ feedback: { by: 'lea' }, proposed: [{ scope: { service: 'cart' } }] });
  const [{ ruleId } = { ruleId: '' }] = given.body['proposed'] as { ruleId: string }[];
  const accepted = await call('POST', `/api/rules/${ruleId}/acceptance`, { by: 'mira' });
  expect(accepted.body).toMatchObject({ status: 'accepted', accepted: { by: 'mira (local)' } });
  expect((await call('POST', `/api/rules/${ruleId}/acceptance`, {})).status).toBe(409);
  expect((await call('POST', `/api/rules/${ruleId}/revocation`, {})).body).toMatchObject({ status: 'revoked' });
  expect((await call('GET', '/api/rules')).body).toMatchObject({ rules: [{ ruleId, status: 'revoked' }] });
  expect((await call('POST', '/api/feedback/inc_none', { judgement: 'noise' })).status).toBe(404);
  expect((await call('POST', `/api/feedback/${cart.anomalyId}`, { judgement: 'maybe' })).status).toBe(400);
  expect((await call('GET', `/api/anomalies/${cart.anomalyId}`)).body).toMatchObject({ feedback: [{ by: 'lea' }] });
  expect((await call('GET', '/api/false-positives')).body).toMatchObject({ objective: 'unknown' });
});
