import { beforeEach, describe, expect, it } from 'vitest';
import type { PresenceMinuteReader } from '../clickhouse/read-presence-minutes.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import { silentLogger } from '../platform/logger.ts';
import { poisson, seededUniform } from './poisson.fixture.ts';
import { createSilenceWatch } from './watch-silence.ts';

const MINUTE_MS = 60_000;
const HOUR = 60;
const DAY = 24 * HOUR;
const START_MS = Date.UTC(2026, 2, 4);
const at = (minute: number) => START_MS + minute * MINUTE_MS;
const { signal } = new AbortController();

/** What one service sends in one minute; nothing that is left out. */
interface Sent {
  readonly logs?: boolean;
  readonly metrics?: boolean;
  readonly requests?: number;
  readonly asked?: number;
  readonly refused?: number;
}
type Shop = Readonly<Record<string, (minute: number) => Sent>>;
let shop: Shop;

const telemetry: PresenceMinuteReader = {
  readMinutes: async ({ window }) => {
    const minutes: number[] = [];
    for (let atMs = window.startMs; atMs < window.endMs; atMs += MINUTE_MS) minutes.push((atMs - START_MS) / MINUTE_MS);
    const rows = Object.entries(shop).map(([service, sentIn]) => {
      const sent = minutes.map(sentIn);
      const newest = (has: (one: Sent) => boolean | undefined) =>
        sent.map((one, index) => (has(one) ? at(minutes[index] ?? 0) + 55_000 : 0));
      return {
        service,
        atMs: minutes.map(at),
        tracesMs: newest(({ requests }) => (requests ?? 0) > 0),
        logsMs: newest(({ logs }) => logs),
        metricsMs: newest(({ metrics }) => metrics),
        requests: sent.map(({ requests }) => requests ?? 0),
        requestsMs: newest(({ requests }) => (requests ?? 0) > 0),
        asked: sent.map(({ asked }) => asked ?? 0),
        refused: sent.map(({ refused }) => refused ?? 0),
      };
    });
    return { rows, query: {} as never };
  },
};

const open = () => createSilenceWatch({ telemetry, logger: silentLogger });

async function look(watch: ReturnType<typeof open>, from: number, to: number): Promise<Anomaly[]> {
  const found: Anomaly[] = [];
  for (let start = from; start < to; start += 55) {
    const window = { startMs: at(Math.max(0, start - 5)), endMs: at(Math.min(to, start + 55)) };
    for (const step of await watch.observe(window, signal)) found.push(...step.judge());
  }
  return found;
}

const BUSY: Sent = { logs: true, metrics: true, requests: 60 };
const CALLED: Sent = { ...BUSY, asked: 60 };
const always = (sent: Sent) => () => sent;
const until = (minute: number, before: Sent, after: Sent) => (now: number) => (now < minute ? before : after);
const END = 2 * HOUR;

beforeEach(() => {
  shop = { gateway: always(BUSY), cart: always(CALLED), user: always(CALLED), order: always(CALLED) };
});

describe('a service falls silent', () => {
  it('nothing comes from it and calls to it fail: it is down, within two minutes', async () => {
    shop = { ...shop, cart: until(END, CALLED, { asked: 60, refused: 58 }) };
    const found = await look(open(), 0, END + 2);
    expect(found[0]).toMatchObject({ service: 'cart', subject: 'down', aspect: 'silence', hurtsUsers: true });
    expect(found[0]?.deviation).toBeGreaterThanOrEqual(1.5);
  });

  it('nothing comes from it, and calls to it are answered: that is its telemetry', async () => {
    shop = { ...shop, cart: until(END, CALLED, { asked: 60 }) };
    const [found] = await look(open(), 0, END + 5);
    expect(found).toMatchObject({ service: 'cart', subject: 'untold', hurtsUsers: false });
    expect(found?.deviation).toBeLessThan(1);
  });

  it('requests from outside stop while it lives', async () => {
    shop = { ...shop, gateway: until(END, BUSY, { metrics: true }) };
    const [found] = await look(open(), 0, END + 3);
    expect(found).toMatchObject({ service: 'gateway', subject: 'no requests', hurtsUsers: true });
    expect(found?.sentence).toBe('gateway: no requests, normally 60 a minute, since 02:00 UTC.');
  });

  it('its callers stopped calling, or nobody ever called it: at most a whisper', async () => {
    const idle = { metrics: true };
    shop = { ...shop, cart: until(END, CALLED, idle), job: until(END, { logs: true, metrics: true }, {}) };
    const found = await look(open(), 0, END + 50);
    expect(found.map(({ service, subject }) => `${service} ${subject}`)).toEqual(
      expect.arrayContaining(['cart unasked', 'job gone']),
    );
    expect(found.every(({ deviation, hurtsUsers }) => deviation < 1 && !hurtsUsers)).toBe(true);
  });

  it('another came in its place: it was renamed', async () => {
    shop = { ...shop, cart: until(END, BUSY, {}), basket: until(END, {}, BUSY) };
    expect((await look(open(), 0, END + 50)).map(({ subject }) => subject)).toEqual([]);
  });

  it('what is gone for an hour is not told for ever', async () => {
    shop = { ...shop, cart: until(END, CALLED, { asked: 60, refused: 58 }) };
    const watch = open();
    expect(await look(watch, 0, END + 61)).not.toEqual([]);
    expect(await look(watch, END + 61, END + 3 * HOUR)).toEqual([]);
  });
});

describe('nobody observes', () => {
  it('nothing from anybody is one anomaly of no service, and nothing comes of it afterwards', async () => {
    const gap = (sent: Sent) => (minute: number) => (minute >= END && minute < END + 20 ? {} : sent);
    // They come back one after the other.
    const late = (minute: number) => (minute >= END && minute < END + 22 ? {} : CALLED);
    shop = { gateway: gap(BUSY), cart: gap(CALLED), user: gap(CALLED), order: late };
    const found = await look(open(), 0, END + 90);
    expect(new Set(found.map(({ service, subject }) => `${service}: ${subject}`))).toEqual(new Set([': no telemetry']));
    expect(found.every(({ hurtsUsers }) => !hurtsUsers)).toBe(true);
    expect(new Set(found.map(({ anomalyId }) => anomalyId)).size).toBe(1);
  });

  it('one signal missing of most services is one anomaly too', async () => {
    const without = until(END, CALLED, { ...CALLED, metrics: false });
    shop = {
      gateway: until(END, BUSY, { ...BUSY, metrics: false }),
      cart: without,
      user: without,
      order: always(CALLED),
    };
    const found = await look(open(), 0, END + 30);
    expect(new Set(found.map(({ service, subject }) => `${service}: ${subject}`))).toEqual(new Set([': no metrics']));
  });
});

describe('what is usual', () => {
  it('raises nothing in three days of busy, slow and sparse services, an hourly and a nightly job', async () => {
    const chance = seededUniform(5);
    const drawn = new Map<string, number>();
    const draw = (name: string, minute: number, mean: number) => {
      const key = `${name} ${minute}`;
      const count = drawn.get(key) ?? poisson(chance, mean);
      drawn.set(key, count);
      return count;
    };
    const season = (minute: number) => 1 + 0.8 * Math.sin((2 * Math.PI * minute) / DAY);
    shop = {
      gateway: (minute) => ({ logs: true, metrics: true, requests: draw('gateway', minute, 40 * season(minute)) }),
      slow: (minute) => ({ metrics: true, requests: draw('slow', minute, 2 * season(minute)) }),
      sparse: (minute) => ({ metrics: true, requests: draw('sparse', minute, 0.1) }),
      tiny: (minute) => ({ requests: draw('tiny', minute, 0.05) }),
      hourly: (minute) => (minute % HOUR < 5 ? { logs: true, requests: 30 } : {}),
      nightly: (minute) =>
        minute % DAY >= 120 && minute % DAY < 132 ? { logs: true, metrics: true, requests: 90 } : {},
    };
    expect((await look(open(), 0, 3 * DAY)).filter(({ deviation }) => deviation >= 1)).toEqual([]);
  });
});

describe('a restart', () => {
  it('goes on as if nothing had happened, and looks at old minutes only where more came', async () => {
    shop = { ...shop, cart: until(END, CALLED, { asked: 60, refused: 58 }) };
    const [whole, first, second] = [open(), open(), open()];
    await look(whole, 0, END + 1);
    await look(first, 0, END + 1);
    second.restore(first.save(100));
    expect(await second.observe({ startMs: at(END - 4), endMs: at(END + 1) }, signal)).toEqual([]);
    expect(await look(second, END + 1, END + 3)).toEqual(await look(whole, END + 1, END + 3));
  });

  it('leaves a state of another version alone', async () => {
    const watch = open();
    watch.restore([{ watch: 'silence', key: '["cart"]', learnedToMs: at(500), state: '{"version":0}' }]);
    expect(await watch.observe({ startMs: at(0), endMs: at(5) }, signal)).toHaveLength(5);
  });
});
