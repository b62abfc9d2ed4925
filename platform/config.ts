/** The only reader of the environment: validated at once, all problems reported together, one slice for each folder. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { judgeLlm, LLM_VARIABLES, type LlmConfig, llmShape, readLlm } from './llm-config.ts';
import { LOG_LEVELS } from './logger.ts';

/** A text that never prints: JSON, templates and inspection all show `***`; `reveal` gives it to the one who needs it. */
export class Secret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  reveal(): string {
    return this.#text;
  }
  toString(): string {
    return '***';
  }
  toJSON(): string {
    return '***';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***';
  }
}

const whole = z
  .string()
  .regex(/^-?\d+$/, 'a whole number')
  .transform(Number);
const port = whole.pipe(z.int().min(0).max(65535));
const positive = whole.pipe(z.int().positive());
const portOrOff = z
  .string()
  .refine((text) => text === 'off' || port.safeParse(text).success, 'a port from 0 to 65535, or off')
  .transform((text) => (text === 'off' ? text : Number(text)));

const redisAddress = z
  .string()
  .regex(/^(rediss?:\/\/[^\s,]+|\/[^\s,]+)$/, 'redis://host:port, rediss://host:port or the path of a socket');

const environmentShape = z.object({
  INQUEST_DATA_DIR: z.string().min(1).default(join(homedir(), '.inquest')),
  INQUEST_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a plain identifier, for example inquest')
    .default('inquest'),
  INQUEST_HOST: z.string().min(1).default('127.0.0.1'),
  INQUEST_PORT: port.default(4318),
  INQUEST_GRPC_PORT: portOrOff.default(4317),
  INQUEST_LOG_LEVEL: z.enum(LOG_LEVELS).default('warn'),
  INQUEST_MAX_BODY_BYTES: positive.default(16 * 1024 * 1024),
  INQUEST_MAX_QUEUE_BYTES: positive.default(64 * 1024 * 1024),
  INQUEST_RETENTION_DAYS: whole.pipe(z.int().min(0)).default(730),
  INQUEST_SCAN_SECONDS: positive.default(10),
  INQUEST_TOKEN: z.string().min(16).optional(),
  INQUEST_IDENTITIES: z.string().min(1).optional(),
  INQUEST_APPROVAL_HOURS: positive.default(24),
  INQUEST_ESCALATE_MINUTES: positive.default(30),
  INQUEST_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  INQUEST_WEBHOOK_SECRET: z.string().min(16).optional(),
  CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
  CLICKHOUSE_USER: z.string().min(1).default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
  INQUEST_SOURCE_DATABASE: z
    .string()
    .regex(/^[\w.-]{1,63}$/, 'the name of a database')
    .optional(),
  INQUEST_SOURCE_URL: z.url({ protocol: /^https?$/ }).optional(),
  INQUEST_SOURCE_USER: z.string().min(1).optional(),
  INQUEST_SOURCE_PASSWORD: z.string().optional(),
  KAFKA_BROKERS: z
    .string()
    .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'host:port, more of them behind commas')
    .optional(),
  KAFKA_GROUP: z.string().min(1).max(200).default('inquest'),
  KAFKA_SSL: z.enum(['true', 'false']).default('false'),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_USERNAME: z.string().min(1).optional(),
  KAFKA_PASSWORD: z.string().min(1).optional(),
  INQUEST_INGEST_BUFFER: z.enum(['memory', 'kafka']).default('memory'),
  REDIS_URL: redisAddress.optional(),
  REDIS_LOCK_URLS: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(redisAddress))
    .optional(),
  ...llmShape,
});

type Values = z.output<typeof environmentShape>;
type Complain = (variable: keyof Values, message: string) => void;

/** What does not go together. */
const environmentSchema = environmentShape.superRefine((value, context) => {
  const complain: Complain = (variable, message) => context.addIssue({ code: 'custom', path: [variable], message });
  judgeSource(value, complain);
  if (value.INQUEST_MAX_BODY_BYTES > value.INQUEST_MAX_QUEUE_BYTES) {
    complain('INQUEST_MAX_QUEUE_BYTES', 'has no room for one request of INQUEST_MAX_BODY_BYTES');
  }
  judgeKafka(value, complain);
  judgeRedis(value, complain);
  judgeLlm(value, complain);
  if (value.INQUEST_PORT !== 0 && value.INQUEST_PORT === value.INQUEST_GRPC_PORT) {
    complain('INQUEST_GRPC_PORT', 'is the same as INQUEST_PORT: each protocol needs its own');
  }
  if ((value.INQUEST_WEBHOOK_URL === undefined) !== (value.INQUEST_WEBHOOK_SECRET === undefined)) {
    const missing = value.INQUEST_WEBHOOK_URL === undefined ? 'INQUEST_WEBHOOK_URL' : 'INQUEST_WEBHOOK_SECRET';
    complain(missing, 'the webhook needs both its URL and its secret (16 characters or more)');
  }
});

function judgeSource(value: Values, complain: Complain): void {
  for (const name of ['INQUEST_SOURCE_URL', 'INQUEST_SOURCE_USER', 'INQUEST_SOURCE_PASSWORD'] as const) {
    if (value[name] === undefined || value.INQUEST_SOURCE_DATABASE !== undefined) continue;
    complain(name, 'needs INQUEST_SOURCE_DATABASE');
  }
  if (value.INQUEST_SOURCE_DATABASE === value.INQUEST_DATABASE && value.INQUEST_SOURCE_URL === undefined) {
    complain('INQUEST_SOURCE_DATABASE', 'is INQUEST_DATABASE, where Inquest writes: somebody else fills the source');
  }
}

function judgeKafka(value: Values, complain: Complain): void {
  if (value.INQUEST_INGEST_BUFFER === 'kafka' && value.KAFKA_BROKERS === undefined) {
    complain('INQUEST_INGEST_BUFFER', 'kafka needs KAFKA_BROKERS');
  }
  if (value.KAFKA_BROKERS !== undefined && value.INQUEST_SOURCE_DATABASE !== undefined) {
    complain('KAFKA_BROKERS', 'cannot be used with INQUEST_SOURCE_DATABASE: telemetry is only read there');
  }
  const account = [value.KAFKA_SASL_MECHANISM, value.KAFKA_USERNAME, value.KAFKA_PASSWORD];
  if (account.some((each) => each !== undefined) && account.includes(undefined)) {
    complain('KAFKA_SASL_MECHANISM', 'goes with KAFKA_USERNAME and KAFKA_PASSWORD: all three or none');
  }
}

function judgeRedis(value: Values, complain: Complain): void {
  const { REDIS_URL: url, REDIS_LOCK_URLS: lockUrls } = value;
  if (lockUrls === undefined) return;
  if (url === undefined) complain('REDIS_LOCK_URLS', 'needs REDIS_URL');
  if (lockUrls.length % 2 === 0) complain('REDIS_LOCK_URLS', 'a majority decides: name an odd number of servers');
}

export interface Config {
  readonly dataDir: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly clickhouse: {
    /** Set: an existing server. Unset: the embedded engine in `dataDir`. */
    readonly url: string | undefined;
    readonly user: string;
    readonly password: Secret;
    /** One database for each tenant; the name is a parameter everywhere. */
    readonly database: string;
    readonly retentionDays: number;
    /** Telemetry is read from there and nothing is written: somebody else fills it. Undefined: from `database`. */
    readonly source:
      | {
          readonly database: string;
          /** Undefined: the server, or engine, of `database`, and its user unless another is named. */
          readonly url: string | undefined;
          readonly user: string | undefined;
          readonly password: Secret | undefined;
        }
      | undefined;
  };
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Of OTLP/gRPC; undefined: none. */
    readonly grpcPort: number | undefined;
  };
  readonly ingest: {
    readonly maxBodyBytes: number;
    /** Bodies in work at one time; more are refused until some are stored. */
    readonly maxQueuedBytes: number;
  };
  /** Undefined: no Kafka. */
  readonly kafka:
    | {
        readonly brokers: readonly string[];
        readonly groupId: string;
        readonly ssl: boolean;
        readonly sasl:
          | {
              readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
              readonly username: string;
              readonly password: Secret;
            }
          | undefined;
        /** The receivers acknowledge what Kafka has, and consumers store it. */
        readonly isBuffer: boolean;
      }
    | undefined;
  /** What processes share; undefined: this one is alone. Addresses may carry passwords. */
  readonly redis: { readonly url: Secret; readonly lockUrls: readonly Secret[] } | undefined;
  readonly detection: { readonly scanSeconds: number };
  readonly access: {
    /** What commands show a host; undefined: the token in the data directory. */
    readonly token: Secret | undefined;
    /** JSON file of identities (domain/identity.ts); undefined: the data directory's token has every role. */
    readonly identitiesPath: string | undefined;
  };
  readonly approval: {
    /** A proposal nobody decides on for so long is off: default deny. */
    readonly expiryHours: number;
    /** A proposal nobody decides on for so long is put before the next role, too. */
    readonly escalateMinutes: number;
    /** Where approved actions are sent, signed; undefined: dry runs. */
    readonly webhook: { readonly url: string; readonly secret: Secret } | undefined;
  };
  /** Undefined: no chat model, everything is computed. */
  readonly llm: LlmConfig | undefined;
}

/** Reads a configuration from an environment; throws one ConfigError that names every bad variable. */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(withFreePorts(environment)).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The configuration is not valid. ${problems.join('; ')}.`, { details: { problems } });
  }
  const value = parsed.data;
  return Object.freeze({
    dataDir: value.INQUEST_DATA_DIR,
    logLevel: value.INQUEST_LOG_LEVEL,
    clickhouse: {
      url: value.CLICKHOUSE_URL,
      user: value.CLICKHOUSE_USER,
      password: new Secret(value.CLICKHOUSE_PASSWORD),
      database: value.INQUEST_DATABASE,
      retentionDays: value.INQUEST_RETENTION_DAYS,
      source: readSource(value),
    },
    server: {
      host: value.INQUEST_HOST,
      port: value.INQUEST_PORT,
      grpcPort: value.INQUEST_GRPC_PORT === 'off' ? undefined : value.INQUEST_GRPC_PORT,
    },
    ingest: { maxBodyBytes: value.INQUEST_MAX_BODY_BYTES, maxQueuedBytes: value.INQUEST_MAX_QUEUE_BYTES },
    kafka: readKafka(value),
    redis: readRedis(value),
    detection: { scanSeconds: value.INQUEST_SCAN_SECONDS },
    access: {
      token: value.INQUEST_TOKEN === undefined ? undefined : new Secret(value.INQUEST_TOKEN),
      identitiesPath: value.INQUEST_IDENTITIES,
    },
    approval: {
      expiryHours: value.INQUEST_APPROVAL_HOURS,
      escalateMinutes: value.INQUEST_ESCALATE_MINUTES,
      webhook: readWebhook(value),
    },
    llm: readLlm(value, (text) => new Secret(text)),
  });
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Who asks for any free port runs several hosts: the usual port of gRPC would be one too few. */
function withFreePorts(environment: Environment): Environment {
  const isFree = environment['INQUEST_PORT'] === '0' && !environment['INQUEST_GRPC_PORT'];
  return isFree ? { ...environment, INQUEST_GRPC_PORT: '0' } : environment;
}

/** What each variable is for, in the words of `inquest config` and the README; `secret` values never print. */
export const VARIABLES: Readonly<Record<keyof z.infer<typeof environmentShape>, { about: string; secret?: true }>> = {
  INQUEST_DATA_DIR: { about: 'where the embedded engine, tickets, keys and the lock live; one host at a time' },
  INQUEST_DATABASE: { about: 'the database; one for each tenant' },
  INQUEST_HOST: { about: 'address the host listens on' },
  INQUEST_PORT: { about: 'port the host listens on; 0 takes a free one' },
  INQUEST_GRPC_PORT: { about: 'port for OTLP/gRPC; 0 takes a free one, as it does when INQUEST_PORT is 0; off: none' },
  INQUEST_LOG_LEVEL: { about: 'how much the host writes to its log' },
  INQUEST_MAX_BODY_BYTES: { about: 'largest request in bytes, before and after decompression' },
  INQUEST_MAX_QUEUE_BYTES: { about: 'requests in work, in bytes; more are told to come back (429)' },
  INQUEST_RETENTION_DAYS: { about: 'days until telemetry is deleted; 0 keeps it, which replayed history needs' },
  INQUEST_SCAN_SECONDS: { about: 'seconds between two looks of detection' },
  INQUEST_TOKEN: { about: 'what commands show to a host instead of the token in the data directory', secret: true },
  INQUEST_IDENTITIES: { about: 'JSON file of people and senders with their roles (inquest token makes entries)' },
  INQUEST_APPROVAL_HOURS: { about: 'hours until a proposal that nobody decides on is off' },
  INQUEST_ESCALATE_MINUTES: {
    about: 'minutes until a proposal that nobody decides on is put before the next role, too',
  },
  INQUEST_WEBHOOK_URL: { about: 'where approved actions are sent; unset: they are dry runs' },
  INQUEST_WEBHOOK_SECRET: { about: 'signs what is sent there', secret: true },
  CLICKHOUSE_URL: { about: 'a ClickHouse server; unset: the embedded engine' },
  CLICKHOUSE_USER: { about: 'its user' },
  CLICKHOUSE_PASSWORD: { about: 'its password', secret: true },
  INQUEST_SOURCE_DATABASE: {
    about: "a database that the Collector's ClickHouse exporter fills: telemetry is read there, nothing is written",
  },
  INQUEST_SOURCE_URL: { about: 'its server; unset: the same as for INQUEST_DATABASE' },
  INQUEST_SOURCE_USER: { about: 'its user; readonly = 2 is enough' },
  INQUEST_SOURCE_PASSWORD: { about: 'its password', secret: true },
  KAFKA_BROKERS: { about: 'brokers whose topics otlp_spans, otlp_logs and otlp_metrics are stored; unset: none' },
  KAFKA_GROUP: { about: 'the consumers of one group share the partitions' },
  KAFKA_SSL: { about: 'true: TLS' },
  KAFKA_SASL_MECHANISM: { about: 'plain, scram-sha-256 or scram-sha-512; unset: no account' },
  KAFKA_USERNAME: { about: 'its account' },
  KAFKA_PASSWORD: { about: 'the password of that', secret: true },
  REDIS_URL: { about: 'a Redis that hosts and workers share; unset: one host alone' },
  REDIS_LOCK_URLS: { about: 'independent Redis servers for the locks, an odd number; unset: that of REDIS_URL' },
  INQUEST_INGEST_BUFFER: { about: 'kafka: receivers acknowledge what Kafka has; memory: what ClickHouse has' },
  ...LLM_VARIABLES,
};

export interface Setting {
  readonly name: string;
  /** As text, `***` for a secret that is set, undefined where nothing is set and nothing is the default. */
  readonly value: string | undefined;
  readonly source: 'environment' | 'default';
  readonly about: string;
}

/** The effective value of every variable, secrets hidden. Throws ConfigError as loadConfig does. */
export function describeConfig(environment: Readonly<Record<string, string | undefined>>): Setting[] {
  loadConfig(environment);
  return Object.entries(VARIABLES).map(([name, { about, secret }]): Setting => {
    const given = withFreePorts(environment)[name];
    const isSet = given !== undefined && given !== '';
    const effective = isSet ? given : defaultOf(name);
    return {
      name,
      value: secret && effective ? '***' : hidePassword(effective),
      source: isSet && given !== defaultOf(name) ? 'environment' : 'default',
      about,
    };
  });
}

/** The settings of this process. */
export function describeProcessConfig(overrides: Readonly<Record<string, string | undefined>> = {}): Setting[] {
  return describeConfig({ ...process.env, ...overrides });
}

function defaultOf(name: string): string | undefined {
  const schema: unknown = environmentShape.shape[name as keyof typeof environmentShape.shape];
  const value = z.safeParse(schema as z.ZodType, undefined).data;
  return value === undefined || value === '' ? undefined : String(value);
}

/** A URL may carry a password. */
function hidePassword(text: string | undefined): string | undefined {
  return text?.replace(/(:\/\/[^/@\s:,]*):[^/@\s,]*@/g, '$1:***@');
}

function readSource(value: Values): Config['clickhouse']['source'] {
  const { INQUEST_SOURCE_DATABASE: database, INQUEST_SOURCE_URL: url, INQUEST_SOURCE_USER: user } = value;
  const password = value.INQUEST_SOURCE_PASSWORD;
  if (database === undefined) return undefined;
  return { database, url, user, password: password === undefined ? undefined : new Secret(password) };
}

function readKafka(value: Values): Config['kafka'] {
  const { KAFKA_BROKERS: brokers, KAFKA_SASL_MECHANISM: mechanism } = value;
  if (brokers === undefined) return undefined;
  const password = new Secret(value.KAFKA_PASSWORD ?? '');
  return {
    brokers: brokers.split(','),
    groupId: value.KAFKA_GROUP,
    ssl: value.KAFKA_SSL === 'true',
    sasl: mechanism && { mechanism, username: value.KAFKA_USERNAME ?? '', password },
    isBuffer: value.INQUEST_INGEST_BUFFER === 'kafka',
  };
}

function readRedis({ REDIS_URL: url, REDIS_LOCK_URLS: lockUrls = [] }: Values): Config['redis'] {
  if (url === undefined) return undefined;
  return { url: new Secret(url), lockUrls: lockUrls.map((lockUrl) => new Secret(lockUrl)) };
}

/** Both or neither: an unsigned request for an action could come from anybody. */
function readWebhook(value: Values): Config['approval']['webhook'] {
  const { INQUEST_WEBHOOK_URL: url, INQUEST_WEBHOOK_SECRET: secret } = value;
  return url !== undefined && secret !== undefined ? { url, secret: new Secret(secret) } : undefined;
}

/** The configuration of this process. */
export function loadProcessConfig(overrides: Readonly<Record<string, string | undefined>> = {}): Config {
  return loadConfig({ ...process.env, ...overrides });
}
