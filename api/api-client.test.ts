/** The client against the real app on loopback: every route, every kind of refusal, and the live stream. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../apps/server/app.ts';
import type { Listener } from '../apps/server/bind-port.ts';
import {
  AUDIT,
  approvalOf,
  createMemoryHost,
  type MemoryHost,
  TOKEN,
  WINDOW,
} from '../apps/server/fixture.contract.ts';
import { listen } from '../apps/server/http-listener.ts';
import type { Progress } from '../domain/investigation.ts';
import { ConfigError, InputError, InvariantError, LimitError, UnavailableError } from '../platform/errors.ts';
import { type ApiClient, createApiClient } from './api-client.ts';

let memory: MemoryHost;
let listener: Listener;
let client: ApiClient;

beforeEach(async () => {
  memory = createMemoryHost();
  listener = await listen({ fetch: createApp(memory.host).fetch, host: '127.0.0.1', port: 0 });
  client = createApiClient({ url: listener.url, token: TOKEN });
});

afterEach(() => listener.close());

const open = () => client.openIncident({ service: 'cart', searchWindow: WINDOW });

/** Collects in the background, so that the test can go on with what is watched. */
function collect(id: string, signal?: AbortSignal) {
  const seen: Progress[] = [];
  let tell = () => {};
  const ended = (async () => {
    for await (const progress of client.watchInvestigation(id, signal)) {
      seen.push(progress);
      tell();
    }
  })();
  const until = (count: number) =>
    new Promise<void>((resolve, reject) => {
      tell = () => {
        if (seen.length >= count) resolve();
      };
      tell();
      ended.catch(reject);
    });
  return { ended, until, kinds: () => seen.map(({ kind }) => kind) };
}

describe('the API client', () => {
  it('calls every route with its types', async () => {
    const { incident, investigationId } = await open();
    expect(incident).toMatchObject({
      source: 'manual',
      service: 'cart',
      status: 'investigating',
      searchWindow: WINDOW,
    });
    expect((await client.listIncidents()).incidents).toEqual([incident]);
    expect((await client.getInvestigation(incident.incidentId)).investigationId).toBe(investigationId);
    expect(await client.getIncident(incident.incidentId)).toEqual(incident);
    expect((await client.listApprovals()).approvals).toEqual([]);
    expect((await client.listAudit({ fromSequence: 2 })).entries).toEqual(AUDIT.slice(1));
    expect(await client.verifyAudit()).toMatchObject({ whole: true });
    expect((await client.listChanges({ since: '5m', service: 'a&b=c' })).changes).toEqual([]);
    expect(memory.runtime.questions).toMatchObject([{ service: 'a&b=c', limit: 50 }]);
    expect(await client.verify(investigationId)).toEqual({ verifications: [] });
    expect(await client.scan()).toEqual({ incidents: [] });
    expect(await client.status()).toMatchObject({
      pid: process.pid,
      clickhouse: { kind: 'embedded', database: 'inquest' },
    });
    expect(await client.shutdown()).toEqual({ stopping: true });
    expect(memory.stopping.signal.aborted).toBe(true);
  });

  it('reads lists in parts', async () => {
    for (let count = 0; count < 3; count++) await open();
    const { incidents, nextCursor } = await client.listIncidents({ limit: 2, status: 'investigating' });
    const rest = await client.listIncidents({ limit: 2, cursor: nextCursor }, AbortSignal.timeout(5_000));
    expect([incidents.length, rest.incidents.length, rest.nextCursor]).toEqual([2, 1, undefined]);
    expect((await client.listInvestigations({ limit: 3 })).investigations).toHaveLength(3);
    await expect(client.listIncidents({ limit: 0 })).rejects.toThrow(/limit/);
  });

  it('decides once', async () => {
    const { investigationId } = await open();
    const approval = approvalOf(investigationId);
    await memory.runtime.step(investigationId, 'approval', { status: 'awaiting-approval', approval });
    const decision = { outcome: 'approved', decidedBy: 'alice' } as const;
    const decided = await client.decide(approval.approvalId, decision);
    expect(decided.approval?.decision).toMatchObject({ outcome: 'approved', decidedBy: 'alice (local)' });
    await expect(client.decide(approval.approvalId, decision)).rejects.toMatchObject({
      code: 'conflict',
      name: 'InputError',
    });
    await expect(client.decide('apr_none', decision)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('refuses a bad input before it leaves', async () => {
    await expect(client.openIncident({ searchWindow: { startMs: 2, endMs: 1 } })).rejects.toThrow(
      /endMs must be after/,
    );
    await expect(client.getInvestigation('..')).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.getInvestigation('inv_/../../status')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('throws what the host refused with', async () => {
    const refusals = [
      new LimitError('too much'),
      new UnavailableError('engine away'),
      new ConfigError('misconfigured'),
      new InvariantError('broken'),
      new InputError('no such thing', { code: 'not-found' }),
    ];
    for (const refusal of refusals) {
      memory.runtime.failWith(refusal);
      const { name, code, message, retryable } = refusal;
      await expect(client.listIncidents()).rejects.toMatchObject({ name, code, message, retryable });
    }
    const stranger = createApiClient({ url: listener.url, token: 'wrong' });
    await expect(stranger.listIncidents()).rejects.toThrow(InputError);
  });

  it('says that the host is gone, or is no host, or is another version', async () => {
    const others = await listen({ fetch: () => Response.json({ hello: 1 }), host: '127.0.0.1', port: 0 });
    const confused = createApiClient({ url: others.url, token: TOKEN });
    await expect(confused.listIncidents()).rejects.toThrow(InvariantError);
    await others.close();
    await expect(confused.listIncidents()).rejects.toMatchObject({ name: 'UnavailableError', retryable: true });
  });

  it('gives up when its caller does', async () => {
    await expect(client.listIncidents(AbortSignal.abort(new InputError('enough')))).rejects.toThrow('enough');
  });
});

describe('watching an investigation', () => {
  it('hears what happens and ends with it', async () => {
    const { incident, investigationId } = await open();
    const watched = collect(incident.incidentId);
    await watched.until(1);
    await memory.runtime.step(investigationId, 'scoped');
    await memory.runtime.step(investigationId, 'finding');
    await watched.until(3);
    await memory.runtime.step(investigationId, 'finished', { status: 'finished' });
    await watched.ended;
    expect(watched.kinds()).toEqual(['started', 'scoped', 'finding', 'finished']);
  });

  it('ends where a person is asked, and tells the past of one that waits', async () => {
    const { investigationId } = await open();
    const live = collect(investigationId);
    await live.until(1);
    const approval = approvalOf(investigationId);
    await memory.runtime.step(investigationId, 'approval', { status: 'awaiting-approval', approval });
    await live.ended;
    const later = collect(investigationId);
    await later.ended;
    expect(live.kinds()).toEqual(later.kinds());
    expect(later.kinds()).toEqual(['started', 'approval']);
  });

  it('tells nobody what it does not know', async () => {
    await expect(collect('inv_none').ended).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says that the host stops or went away', async () => {
    const { investigationId } = await open();
    const stopped = collect(investigationId);
    await stopped.until(1);
    memory.host.stop();
    await expect(stopped.ended).rejects.toThrow(/host stops/);

    memory = createMemoryHost();
    await listener.close();
    listener = await listen({ fetch: createApp(memory.host).fetch, host: '127.0.0.1', port: 0 });
    client = createApiClient({ url: listener.url, token: TOKEN });
    const cut = collect((await open()).investigationId);
    await cut.until(1);
    await listener.close();
    await expect(cut.ended).rejects.toThrow(UnavailableError);
  });

  it('hangs up when the watcher has seen enough', async () => {
    const { investigationId } = await open();
    for await (const progress of client.watchInvestigation(investigationId)) {
      expect(progress.kind).toBe('started');
      break;
    }
    await memory.host.activity.drained(5_000);
    expect(memory.host.activity.idleMs()).toBeGreaterThan(0);
    const impatient = new AbortController();
    const watched = collect(investigationId, impatient.signal);
    await watched.until(1);
    impatient.abort(new InputError('enough'));
    await expect(watched.ended).rejects.toThrow('enough');
  });
});
