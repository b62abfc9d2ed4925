import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../clickhouse/read-template-minutes.ts';
import { poisson, seededUniform } from '../poisson.fixture.ts';
import { judgeTemplates, type TemplateDeviation } from './log-template-judge.ts';
import {
  type LogMinute,
  learnMinute,
  newServicePast,
  renameTemplate,
  type ServicePast,
  templateKey,
} from './log-template-past.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const START_MS = Date.UTC(2026, 2, 2);
type Lines = Readonly<Record<string, number>>;

function minuteOf(atMs: number, lines: Lines): LogMinute {
  const written = Object.entries(lines).filter(([, count]) => count > 0);
  const sum = (level: string) =>
    written.filter(([key]) => key.startsWith(level)).reduce((total, [, count]) => total + count, 0);
  return {
    atMs,
    templates: new Map(
      written.map(([key, count]) => [key, { level: key.split(' ')[0] as LogLevel, text: key, lines: count }]),
    ),
    lines: sum(''),
    traffic: sum('INFO'),
  };
}

/** A service minute by minute, learned five minutes later. */
function watchService(linesOf: (minute: number) => Lines) {
  const past = newServicePast();
  const pending: LogMinute[] = [];
  return {
    past,
    run(fromMinute: number, minutes: number): TemplateDeviation[][] {
      return Array.from({ length: minutes }, (_, index) => {
        const minute = fromMinute + index;
        pending.push(minuteOf(START_MS + minute * MINUTE_MS, linesOf(minute)));
        const oldest = pending.length > 5 ? pending.shift() : undefined;
        if (oldest) learnMinute(past, oldest);
        return judgeTemplates(past, pending, true);
      });
    },
  };
}

const uniform = () => seededUniform(7);
const loud = (found: readonly TemplateDeviation[]) => found.filter(({ deviation }) => deviation >= 1);

describe('a quiet service', () => {
  it('raises nothing in four days of chance, with a daily curve and rare errors', () => {
    const next = uniform();
    const service = watchService((minute) => {
      const season = 1 + 0.7 * Math.sin((2 * Math.PI * minute) / DAY_MINUTES);
      return {
        'INFO a': poisson(next, 40 * season),
        'INFO b': poisson(next, 4 * season),
        'WARN c': poisson(next, 0.3 * season),
        'ERROR d': poisson(next, 0.02 * season),
      };
    });
    expect(service.run(0, 4 * DAY_MINUTES).flatMap(loud)).toEqual([]);
  });

  it('takes lines that come with more traffic for what they are', () => {
    const next = uniform();
    const service = watchService((minute) => {
      const surge = minute < 300 ? 1 : 6;
      return { 'INFO a': poisson(next, 60 * surge), 'ERROR b': poisson(next, 3 * surge) };
    });
    const found = service.run(0, 330).flatMap(loud);
    expect(found.filter(({ level }) => level === 'ERROR')).toEqual([]);
  });

  it('has no known past at first: nothing is new', () => {
    const service = watchService((minute) => ({ 'INFO a': 10, [`ERROR ${minute}`]: 5 }));
    expect(service.run(0, 30).flat()).toEqual([]);
  });
});

describe('what is abnormal', () => {
  it('an error never seen is an anomaly at once where it comes often, and goes on under one name', () => {
    const service = watchService((minute) => ({ 'INFO a': 50, 'ERROR b': minute >= 200 ? 30 : 0 }));
    expect(service.run(0, 200).flat()).toEqual([]);
    const found = service.run(200, 20);
    expect(found.every(([first]) => first?.key === 'ERROR b' && first.deviation >= 1)).toBe(true);
    expect(new Set(found.flat().map(({ sinceMs }) => sinceMs))).toEqual(new Set([START_MS + 200 * MINUTE_MS]));
    expect(found[0]?.[0]).toMatchObject({ shape: 'new', observed: 30, expected: 0, isLarge: true });
  });

  it('a single new error line is nothing, new information too; new warnings are a whisper', () => {
    const single = watchService((minute) => ({ 'INFO a': 50, 'ERROR b': minute === 200 ? 1 : 0 }));
    expect(single.run(0, 210).flatMap(loud)).toEqual([]);
    const information = watchService((minute) => ({ 'INFO a': 50, 'INFO b': minute >= 200 ? 30 : 0 }));
    expect(information.run(0, 203).flat()).toEqual([]);
    const warning = watchService((minute) => ({ 'INFO a': 50, 'WARN b': minute >= 200 ? 30 : 0 }));
    const [found] = warning.run(0, 201).flat();
    expect(found?.deviation).toBeGreaterThanOrEqual(0.5);
    expect(found?.deviation).toBeLessThan(1);
  });

  it('a known error that bursts is an anomaly against its own past; one that always comes in bursts is not', () => {
    const next = uniform();
    const calm = watchService((minute) => ({ 'INFO a': 50, 'ERROR b': poisson(next, minute === 400 ? 20 : 1) }));
    calm.run(0, 400);
    expect(loud(calm.run(400, 1)[0] ?? [])).toHaveLength(1);
    const bursty = watchService((minute) => ({ 'INFO a': 50, 'ERROR b': minute % 25 === 0 ? 20 : 0 }));
    bursty.run(0, 400);
    expect(loud(bursty.run(400, 1)[0] ?? [])).toEqual([]);
  });

  it('a steady template that stops while others go on has vanished', () => {
    const service = watchService((minute) => ({ 'INFO a': 50, 'INFO b': minute < 300 ? 8 : 0 }));
    service.run(0, 300);
    const found = service.run(300, 5).flat();
    expect(found[0]).toMatchObject({ key: 'INFO b', shape: 'vanished', observed: 0 });
  });

  it('none has vanished where another took its place, or where nothing is written at all', () => {
    const renamed = watchService((minute) => ({ 'INFO a': 50, [minute < 300 ? 'INFO b' : 'INFO c']: 8 }));
    expect(renamed.run(0, 310).flat()).toEqual([]);
    const silent = watchService((minute): Lines => (minute < 300 ? { 'INFO a': 50, 'INFO b': 8 } : {}));
    expect(silent.run(0, 330).flat()).toEqual([]);
  });

  it('what comes every night at the same hour is excused from the third night on', () => {
    const service = watchService((minute) => {
      const isNight = minute % DAY_MINUTES >= 120 && minute % DAY_MINUTES < 130;
      return { 'INFO a': 50, 'ERROR b': isNight ? 25 : 0 };
    });
    const nights = Array.from(
      { length: 5 },
      (_, day) => service.run(day * DAY_MINUTES, DAY_MINUTES).flatMap(loud).length,
    );
    expect(nights[0]).toBeGreaterThan(0);
    expect(nights.slice(2)).toEqual([0, 0, 0]);
  });
});

describe('what is kept', () => {
  it('stays bounded and plain however many templates come', () => {
    const service = watchService((minute) => ({
      'INFO a': 5,
      ...Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`INFO ${minute} ${n}`, 1])),
    }));
    service.run(0, 120);
    expect(Object.keys(service.past.templates).length).toBeLessThanOrEqual(500);
    const copy = JSON.parse(JSON.stringify(service.past)) as ServicePast;
    expect(copy).toEqual(service.past);
  });

  it('two ids that turn out to be one template are known together', () => {
    const service = watchService(() => ({ 'INFO a': 5, 'INFO b': 7 }));
    service.run(0, 100);
    const [a, b] = [service.past.templates['INFO a'], service.past.templates['INFO b']];
    const sum = (a?.fast ?? 0) + (b?.fast ?? 0);
    renameTemplate(service.past, templateKey('b', 'INFO'), templateKey('a', 'INFO'));
    expect(service.past.templates['INFO b']).toBeUndefined();
    expect(service.past.templates['INFO a']?.fast).toBeCloseTo(sum);
  });
});
