import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../domain/change.ts';
import { createManualClock } from '../platform/clock.ts';
import { UnavailableError } from '../platform/errors.ts';
import { type ChangesAnswer, type ChangesReceiverOptions, createChangesReceiver } from './changes-receiver.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12, 30);
const deploy = { kind: 'deploy', service: 'cart', summary: 'cart 1.4.0', version: '1.4.0' };

function open(options: Partial<ChangesReceiverOptions> = {}) {
  const written: Change[] = [];
  const clock = createManualClock(NOW_MS);
  const receive = createChangesReceiver({
    writeChanges: async (changes) => {
      written.push(...changes);
    },
    clock,
    maxBodyBytes: 100_000,
    ...options,
  });
  const post = async (body: unknown, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await receive(new Request('http://localhost/v1/changes', { ...init, body: text }));
    return { status: response.status, headers: response.headers, answer: (await response.json()) as ChangesAnswer };
  };
  return { receive, post, written, clock };
}

describe('changes', () => {
  it('are stored with the time of receipt and an id from their content', async () => {
    const { post, written } = open();
    const { status, answer } = await post(deploy);
    expect([status, answer.accepted, answer.rejected]).toEqual([200, 1, []]);
    expect(written).toEqual([
      {
        ...deploy,
        changeId: answer.changeIds[0],
        atMs: NOW_MS,
        author: '',
        url: '',
        attributes: {},
        diff: '',
        source: 'webhook',
      },
    ]);
    expect(answer.changeIds[0]).toMatch(/^chg_[0-9a-f]{12}$/);
  });

  it('keep the id and the time that their sender gives', async () => {
    const { post, written } = open();
    const { answer } = await post({ ...deploy, id: 'run-17', at: '2026-01-01T10:00:00+02:00' });
    expect(answer.changeIds).toEqual(['run-17']);
    expect(written[0]?.atMs).toBe(Date.UTC(2026, 0, 1, 8));
  });

  it('come one by one, as an array, or in an envelope', async () => {
    const { post, written } = open();
    await post(deploy);
    await post([deploy, { ...deploy, service: 'web' }]);
    await post({ changes: [{ ...deploy, kind: 'flag' }] });
    expect(new Set(written.map(({ changeId }) => changeId)).size).toBe(3);
  });

  it('sent again are the same change, whatever the order of members; an hour later another', async () => {
    const { post, clock } = open();
    const first = (await post(deploy)).answer.changeIds;
    const { kind, ...rest } = deploy;
    expect((await post({ ...rest, kind })).answer.changeIds).toEqual(first);
    clock.advance(3_600_000);
    expect((await post(deploy)).answer.changeIds).not.toEqual(first);
  });

  it('twice in one request are written once', async () => {
    const { post, written } = open();
    const { answer } = await post([deploy, deploy]);
    expect([answer.accepted, written.length]).toEqual([2, 1]);
  });

  it('that are bad are named by index and cost no other', async () => {
    const { post, written } = open();
    const bad = [{ kind: 'party', summary: 'x' }, { ...deploy, at: 'yesterday' }, 7, { ...deploy, extra: 1 }];
    const { status, answer } = await post([deploy, ...bad, { ...deploy, at: '1970-01-01T00:00:00Z' }]);
    expect([status, answer.accepted, written.length]).toEqual([200, 1, 1]);
    expect(answer.rejected.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
    expect(answer.rejected[0]?.problem).toMatch(/^kind: /);
    expect(answer.rejected[4]?.problem).toBe('at: is outside 2000 to 2100');
  });

  it('have lone surrogates replaced, in keys too', async () => {
    const { post, written } = open();
    await post(`{"kind":"deploy","summary":"a\\ud800","attributes":{"\\udfff":"\\ud800"}}`);
    expect(written[0]).toMatchObject({ summary: 'a\ufffd', attributes: { '\ufffd': '\ufffd' } });
  });
});

describe('whatever is sent', () => {
  it('any bytes are answered', async () => {
    const { receive } = open();
    const headers = { 'content-type': 'application/json' };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const body = new Uint8Array(bytes);
        const response = await receive(new Request('http://localhost/v1/changes', { method: 'POST', headers, body }));
        expect([200, 400]).toContain(response.status);
      }),
    );
  });

  it('any JSON beside good changes costs none of them', async () => {
    const { post, written } = open();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (value) => {
        written.length = 0;
        const { answer } = await post([{ ...deploy, id: 'a' }, value, { ...deploy, id: 'b' }]);
        expect(answer.changeIds.filter((id) => id === 'a' || id === 'b')).toHaveLength(2);
        expect(written.filter(({ changeId }) => changeId === 'a' || changeId === 'b')).toHaveLength(2);
      }),
    );
  });
});

describe('a request is refused', () => {
  it.each([
    ['when nothing in it is good', [{ kind: 'party' }], {}, 400],
    ['when it holds nothing', [], {}, 400],
    ['when it is no JSON', '{"kind":', {}, 400],
    ['when it holds too many', Array(501).fill(deploy), {}, 413],
    ['when it is too large', 'x'.repeat(100_001), {}, 413],
    ['when it is another type', deploy, { 'content-type': 'text/plain' }, 415],
    ['when it is coded otherwise', deploy, { 'content-encoding': 'br' }, 415],
  ])('%s', async (_when, body, headers, expected) => {
    const { post, written } = open();
    expect(await post(body, headers)).toMatchObject({
      status: expected,
      answer: { error: { message: expect.stringMatching(/\w{3}/) } },
    });
    expect(written).toEqual([]);
  });

  it('for a while when the store is away, for good when it breaks', async () => {
    const away = open({ writeChanges: () => Promise.reject(new UnavailableError('away')) });
    const answer = await away.post(deploy);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    const broken = open({ writeChanges: () => Promise.reject(new TypeError('secret')) });
    expect(await broken.post(deploy)).toMatchObject({
      status: 500,
      answer: { error: { code: 'invariant-violated', message: 'Storing the changes failed.' } },
    });
  });

  it('unless it is posted', async () => {
    const response = await open().receive(new Request('http://localhost/v1/changes'));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
