import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeConfig, loadConfig, Secret, VARIABLES } from './config.ts';
import { ConfigError } from './errors.ts';

function problemsOf(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return String(error);
  }
}

describe('loadConfig', () => {
  it('needs nothing: the embedded engine, loopback only', () => {
    expect(loadConfig({})).toMatchObject({
      clickhouse: { url: undefined, user: 'default', database: 'inquest' },
      server: { host: '127.0.0.1', port: 4318 },
      logLevel: 'warn',
    });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ CLICKHOUSE_URL: '', INQUEST_PORT: '' })).toEqual(loadConfig({}));
  });

  it('reads what is given', () => {
    const config = loadConfig({
      INQUEST_DATA_DIR: '/data',
      INQUEST_PORT: '0',
      INQUEST_RETENTION_DAYS: '0',
      INQUEST_MAX_BODY_BYTES: '1024',
      INQUEST_SCAN_SECONDS: '5',
      CLICKHOUSE_URL: 'https://clickhouse.example:8443',
      CLICKHOUSE_USER: 'inquest',
      CLICKHOUSE_PASSWORD: 'pass',
    });
    expect(config).toMatchObject({
      dataDir: '/data',
      server: { port: 0 },
      ingest: { maxBodyBytes: 1024 },
      detection: { scanSeconds: 5 },
      clickhouse: { url: 'https://clickhouse.example:8443', user: 'inquest', retentionDays: 0 },
    });
    expect(config.clickhouse.password.reveal()).toBe('pass');
  });

  it('names every problem at once', () => {
    const problems = problemsOf({
      INQUEST_PORT: 'many',
      INQUEST_DATABASE: 'drop table',
      INQUEST_LOG_LEVEL: 'loud',
      INQUEST_MAX_BODY_BYTES: '-1',
      INQUEST_RETENTION_DAYS: '1.5',
      CLICKHOUSE_URL: 'tcp://localhost:9000',
      INQUEST_HOST: '::1',
    });
    for (const name of [
      'INQUEST_PORT',
      'INQUEST_DATABASE',
      'INQUEST_LOG_LEVEL',
      'INQUEST_MAX_BODY_BYTES',
      'INQUEST_RETENTION_DAYS',
      'CLICKHOUSE_URL',
    ]) {
      expect(problems).toContain(name);
    }
    expect(problems).not.toContain('INQUEST_HOST');
  });

  it.each([
    ['INQUEST_PORT', '65536'],
    ['INQUEST_PORT', '-1'],
    ['INQUEST_PORT', ' '],
    ['INQUEST_DATABASE', '1st'],
    ['INQUEST_DATABASE', 'a`b'],
    ['INQUEST_SCAN_SECONDS', '0'],
    ['CLICKHOUSE_URL', 'localhost'],
  ])('refuses %s=%j', (name, value) => {
    expect(problemsOf({ [name]: value })).toContain(name);
  });

  it('shows no secret when something else is wrong', () => {
    expect(problemsOf({ CLICKHOUSE_PASSWORD: 'hunter2', INQUEST_PORT: 'x' })).not.toContain('hunter2');
  });
});

describe('Secret', () => {
  const secret = new Secret('hunter2');
  const config = loadConfig({ CLICKHOUSE_PASSWORD: 'hunter2' });

  it('never prints, alone or inside of something', () => {
    const prints = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret, config }),
      inspect(config, { depth: 9, showHidden: true }),
      inspect([secret]),
      Object.entries(secret).join(),
      inspect(structuredClone({ ...secret })),
    ];
    for (const print of prints) expect(print).not.toContain('hunter2');
    expect(prints[0]).toBe('***');
  });

  it('is given to the one who asks for it', () => {
    expect(secret.reveal()).toBe('hunter2');
  });
});

describe('describeConfig', () => {
  it('tells the effective value of every variable and where it comes from', () => {
    const settings = new Map(describeConfig({ INQUEST_PORT: '0' }).map((setting) => [setting.name, setting]));
    expect(settings.get('INQUEST_PORT')).toMatchObject({ value: '0', source: 'environment' });
    expect(settings.get('INQUEST_DATABASE')).toMatchObject({ value: 'inquest', source: 'default' });
    expect(settings.get('CLICKHOUSE_URL')).toMatchObject({ value: undefined, source: 'default' });
  });

  it('shows no secret, not even inside a URL', () => {
    const told = JSON.stringify(
      describeConfig({
        INQUEST_TOKEN: 'token-of-sixteen-characters',
        CLICKHOUSE_PASSWORD: 'hunter2',
        INQUEST_WEBHOOK_URL: 'https://bot:hunter2@hooks.example/run',
        INQUEST_WEBHOOK_SECRET: 'hunter2-hunter2-hunter2',
      }),
    );
    expect(told).not.toMatch(/hunter2|token-of/);
    expect(told).toContain('https://bot:***@hooks.example/run');
  });

  it('the README names every variable', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(Object.keys(VARIABLES).filter((name) => !readme.includes(name))).toEqual([]);
  });
});
