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
      server: { host: '127.0.0.1', port: 4318, grpcPort: 4317 },
      logLevel: 'warn',
    });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ CLICKHOUSE_URL: '', INQUEST_PORT: '' })).toEqual(loadConfig({}));
  });

  it('takes any free port for gRPC too when it takes one for HTTP, unless it is told otherwise', () => {
    const grpcPortOf = (environment: Record<string, string>) => loadConfig(environment).server.grpcPort;
    expect(grpcPortOf({ INQUEST_PORT: '0' })).toBe(0);
    expect(grpcPortOf({ INQUEST_PORT: '0', INQUEST_GRPC_PORT: '14317' })).toBe(14317);
    expect(grpcPortOf({ INQUEST_GRPC_PORT: 'off' })).toBeUndefined();
    expect(problemsOf({ INQUEST_PORT: '4317' })).toMatch(/INQUEST_GRPC_PORT: is the same as INQUEST_PORT/);
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
    ['INQUEST_GRPC_PORT', '65536'],
    ['INQUEST_GRPC_PORT', 'on'],
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

describe('the source', () => {
  it('is off, or names a database, on the same server unless another is named', () => {
    expect(loadConfig({}).clickhouse.source).toBeUndefined();
    const source = { INQUEST_SOURCE_DATABASE: 'otel', INQUEST_SOURCE_PASSWORD: 'hunter2' };
    const { clickhouse } = loadConfig(source);
    expect(clickhouse.source).toMatchObject({ database: 'otel', url: undefined, user: undefined });
    expect(clickhouse.source?.password?.reveal()).toBe('hunter2');
    expect(JSON.stringify(clickhouse)).not.toContain('hunter2');
  });

  it('is not where Inquest writes, and nothing is said of one that is not named', () => {
    expect(() => loadConfig({ INQUEST_SOURCE_DATABASE: 'inquest' })).toThrow('INQUEST_SOURCE_DATABASE');
    expect(() => loadConfig({ INQUEST_SOURCE_URL: 'http://127.0.0.1:8123' })).toThrow('needs INQUEST_SOURCE_DATABASE');
  });
});

describe('Kafka', () => {
  it('is not there unless brokers are named', () => {
    expect(loadConfig({}).kafka).toBeUndefined();
    expect(loadConfig({ KAFKA_BROKERS: 'one:9092,two:9092' }).kafka).toEqual({
      brokers: ['one:9092', 'two:9092'],
      groupId: 'inquest',
      ssl: false,
      sasl: undefined,
      isBuffer: false,
    });
  });

  it('takes an account whole or not at all, and does not show its password', () => {
    const account = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 'hush' };
    const { kafka } = loadConfig({ KAFKA_BROKERS: 'one:9092', KAFKA_SSL: 'true', ...account });
    expect(kafka).toMatchObject({ ssl: true, sasl: { mechanism: 'scram-sha-512', username: 'me' } });
    expect(kafka?.sasl?.password.reveal()).toBe('hush');
    expect(inspect(kafka, { depth: 5 })).not.toContain('hush');
    expect(problemsOf({ KAFKA_BROKERS: 'one:9092', KAFKA_USERNAME: 'me' })).toContain('KAFKA_SASL_MECHANISM');
  });

  it('refuses brokers without a port, and a buffer without brokers', () => {
    expect(problemsOf({ KAFKA_BROKERS: 'one' })).toContain('KAFKA_BROKERS');
    expect(problemsOf({ INQUEST_INGEST_BUFFER: 'kafka' })).toContain('INQUEST_INGEST_BUFFER');
  });
});

describe('the chat model', () => {
  const model = { INQUEST_LLM_URL: 'http://127.0.0.1:11434/v1', INQUEST_LLM_MODEL: 'small' };

  it('is off unless an address and a model are named: a key that lies around switches nothing on', () => {
    expect(loadConfig({}).llm).toBeUndefined();
    expect(loadConfig({ OPENAI_API_KEY: 'sk-lies-around', OPENAI_BASE_URL: 'https://api.example/v1' }).llm).toBe(
      undefined,
    );
    expect(loadConfig(model).llm).toEqual({
      url: 'http://127.0.0.1:11434/v1',
      model: 'small',
      fallbackModel: undefined,
      key: undefined,
      budget: { tokens: 200_000, usd: undefined, seconds: 300 },
      prices: new Map(),
      concurrency: 4,
      isRedacting: true,
    });
  });

  it('has limits and prices, and a key that never prints', () => {
    const { llm } = loadConfig({
      ...model,
      INQUEST_LLM_KEY: 'hunter2',
      INQUEST_LLM_BUDGET: 'usd=0.5',
      INQUEST_LLM_PRICES: 'small=0.25/2,maker/other:free=0/0',
      INQUEST_LLM_REDACTION: 'off',
    });
    expect(llm).toMatchObject({ budget: { tokens: undefined, usd: 0.5, seconds: undefined }, isRedacting: false });
    expect(llm?.prices.get('small')).toEqual({ inputUsd: 0.25, outputUsd: 2 });
    expect(llm?.prices.get('maker/other:free')).toEqual({ inputUsd: 0, outputUsd: 0 });
    expect(inspect(llm, { depth: 5 })).not.toContain('hunter2');
    expect(loadConfig({ ...model, INQUEST_LLM_BUDGET: 'off' }).llm?.budget).toEqual({});
  });

  it.each([
    ['INQUEST_LLM_MODEL', { INQUEST_LLM_URL: model.INQUEST_LLM_URL }],
    ['INQUEST_LLM_URL', { INQUEST_LLM_MODEL: 'small' }],
    ['INQUEST_LLM_URL', { INQUEST_LLM_KEY: 'hunter2' }],
    ['INQUEST_LLM_URL', { ...model, INQUEST_LLM_URL: 'https://bot:hunter2@llm.example/v1' }],
    ['INQUEST_LLM_BUDGET', { ...model, INQUEST_LLM_BUDGET: 'tokens=many' }],
    ['INQUEST_LLM_BUDGET', { ...model, INQUEST_LLM_BUDGET: 'tokens=1,' }],
    ['INQUEST_LLM_PRICES', { ...model, INQUEST_LLM_PRICES: 'small=1' }],
  ])('refuses, naming %s, %j', (name, environment) => {
    expect(problemsOf(environment)).toContain(name);
    expect(problemsOf(environment)).not.toContain('hunter2');
  });
});
