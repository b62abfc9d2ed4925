import { beforeEach, describe, expect, it } from 'vitest';
import type { TemplateAliasRow, TemplateMinuteReader, TemplateMinuteRow } from '../clickhouse/read-template-minutes.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { silentLogger } from '../platform/logger.ts';
import { createTemplateWatch } from './watch-templates.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 4, 9);
const at = (minute: number) => START_MS + minute * MINUTE_MS;
const { signal } = new AbortController();
const query = { tag: '', sql: '', parameters: {}, rowCount: 0, digest: '', elapsedMs: 0 } as never;

type Row = Pick<TemplateMinuteRow, 'template' | 'level'> & { readonly minute: number; lines: number };
let stored: Row[];
let aliases: TemplateAliasRow[];
let windows: TimeWindow[];

const telemetry: TemplateMinuteReader = {
  readMinutes: async ({ window }) => {
    windows.push(window);
    const inside = stored.filter(({ minute }) => at(minute) >= window.startMs && at(minute) < window.endMs);
    const rows = inside.map(({ template, level, minute, lines }) => {
      return { service: 'cart', template, level, text: `text of ${template}`, atMs: [at(minute)], lines: [lines] };
    });
    return { rows, query };
  },
  readAliases: async ({ templates }) => ({
    rows: aliases.filter(({ template }) => templates.includes(template)),
    query,
  }),
};

const open = () => createTemplateWatch({ telemetry, logger: silentLogger });

async function look(watch: ReturnType<typeof open>, from: number, to: number): Promise<Anomaly[][]> {
  const steps = await watch.observe({ startMs: at(from), endMs: at(to) }, signal);
  return steps.map((step) => step.judge());
}

beforeEach(() => {
  stored = Array.from({ length: 60 }, (_, minute) => ({ template: 'a', level: 'INFO', minute, lines: 50 }));
  aliases = [];
  windows = [];
});

describe('a look', () => {
  it('reads its window once and has a step for each minute, also for those without lines', async () => {
    expect(await look(open(), 0, 61)).toHaveLength(61);
    expect(windows).toEqual([{ startMs: at(0), endMs: at(61) }]);
  });

  it('says what a new error is in a sentence, and that users notice when it is most of what is written', async () => {
    const watch = open();
    await look(watch, 0, 50);
    stored.push({ template: 'b', level: 'ERROR', minute: 50, lines: 40 });
    const [found] = (await look(watch, 50, 51)).flat();
    expect(found).toMatchObject({
      service: 'cart',
      aspect: 'logs',
      detector: 'templates',
      sinceMs: at(50),
      hurtsUsers: true,
      sentence: 'cart: 40 ERROR lines a minute "text of b" since 09:50 UTC, never seen before.',
    });
    expect(found?.deviation).toBeGreaterThanOrEqual(1.5);
  });

  it('has minutes that were judged before only where more lines came, and judges those again', async () => {
    const watch = open();
    await look(watch, 0, 55);
    expect(await look(watch, 50, 55)).toEqual([]);
    stored.push({ template: 'b', level: 'ERROR', minute: 53, lines: 40 });
    const again = await look(watch, 50, 55);
    expect(again).toHaveLength(1);
    expect(again[0]?.[0]?.sinceMs).toBe(at(53));
  });
});

describe('a template that grew more general', () => {
  it('is known by what it was', async () => {
    for (let minute = 0; minute < 50; minute++) stored.push({ template: 'old', level: 'ERROR', minute, lines: 20 });
    const watch = open();
    await look(watch, 0, 50);
    stored.push({ template: 'general', level: 'ERROR', minute: 50, lines: 20 });
    aliases.push({ service: 'cart', id: 'old', template: 'general' });
    expect((await look(watch, 50, 51)).flat()).toEqual([]);
  });
});

describe('a restart', () => {
  it('goes on as if nothing had happened', async () => {
    const [whole, first, second] = [open(), open(), open()];
    stored.push(
      { template: 'b', level: 'ERROR', minute: 52, lines: 40 },
      { template: 'b', level: 'ERROR', minute: 53, lines: 40 },
    );
    await look(whole, 0, 53);
    await look(first, 0, 50);
    second.restore(first.save(10));
    await look(second, 45, 53);
    const told = (found: Anomaly[][]) =>
      found.flat().map(({ anomalyId, observed, deviation }) => [anomalyId, observed, deviation.toFixed(3)]);
    expect(told(await look(second, 53, 54))).toEqual(told(await look(whole, 53, 54)));
  });

  it('saves what has changed, at most as many as are asked for, and leaves a state of another version alone', async () => {
    const watch = open();
    await look(watch, 0, 50);
    expect(watch.save(0)).toEqual([]);
    const [state] = watch.save(10);
    expect(state).toMatchObject({ watch: 'templates', key: 'cart', learnedToMs: at(45) });
    expect(watch.save(10)).toEqual([]);
    const other = open();
    other.restore([{ watch: 'templates', key: 'cart', learnedToMs: at(45), state: '{"version":0}' }]);
    expect(await look(other, 0, 5)).toHaveLength(5);
  });
});
