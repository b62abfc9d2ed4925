/** The only reader of the environment: validated at once, all problems reported together, one slice for each folder. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
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

const environmentShape = z.object({
  INQUEST_DATA_DIR: z.string().min(1).default(join(homedir(), '.inquest')),
  INQUEST_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a plain identifier, for example inquest')
    .default('inquest'),
  INQUEST_HOST: z.string().min(1).default('127.0.0.1'),
  INQUEST_PORT: port.default(4318),
  INQUEST_LOG_LEVEL: z.enum(LOG_LEVELS).default('warn'),
  INQUEST_MAX_BODY_BYTES: positive.default(16 * 1024 * 1024),
  INQUEST_RETENTION_DAYS: whole.pipe(z.int().min(0)).default(730),
  INQUEST_SCAN_SECONDS: positive.default(10),
  INQUEST_TOKEN: z.string().min(16).optional(),
  INQUEST_IDENTITIES: z.string().min(1).optional(),
  INQUEST_APPROVAL_HOURS: positive.default(24),
  INQUEST_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  INQUEST_WEBHOOK_SECRET: z.string().min(16).optional(),
  CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
  CLICKHOUSE_USER: z.string().min(1).default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
});

const environmentSchema = environmentShape.superRefine((value, context) => {
  if ((value.INQUEST_WEBHOOK_URL === undefined) === (value.INQUEST_WEBHOOK_SECRET === undefined)) return;
  const path = value.INQUEST_WEBHOOK_URL === undefined ? 'INQUEST_WEBHOOK_URL' : 'INQUEST_WEBHOOK_SECRET';
  const message = 'the webhook needs both its URL and its secret (16 characters or more)';
  context.addIssue({ code: 'custom', path: [path], message });
});

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
  };
  readonly server: { readonly host: string; readonly port: number };
  readonly ingest: { readonly maxBodyBytes: number };
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
    /** Where approved actions are sent, signed; undefined: dry runs. */
    readonly webhook: { readonly url: string; readonly secret: Secret } | undefined;
  };
}

/** Reads a configuration from an environment; throws one ConfigError that names every bad variable. */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
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
    },
    server: { host: value.INQUEST_HOST, port: value.INQUEST_PORT },
    ingest: { maxBodyBytes: value.INQUEST_MAX_BODY_BYTES },
    detection: { scanSeconds: value.INQUEST_SCAN_SECONDS },
    access: {
      token: value.INQUEST_TOKEN === undefined ? undefined : new Secret(value.INQUEST_TOKEN),
      identitiesPath: value.INQUEST_IDENTITIES,
    },
    approval: { expiryHours: value.INQUEST_APPROVAL_HOURS, webhook: readWebhook(value) },
  });
}

/** What each variable is for, in the words of `inquest config` and the README; `secret` values never print. */
export const VARIABLES: Readonly<Record<keyof z.infer<typeof environmentShape>, { about: string; secret?: true }>> = {
  INQUEST_DATA_DIR: { about: 'where the embedded engine, tickets, keys and the lock live; one host at a time' },
  INQUEST_DATABASE: { about: 'the database; one for each tenant' },
  INQUEST_HOST: { about: 'address the host listens on' },
  INQUEST_PORT: { about: 'port the host listens on; 0 takes a free one' },
  INQUEST_LOG_LEVEL: { about: 'how much the host writes to its log' },
  INQUEST_MAX_BODY_BYTES: { about: 'largest request in bytes, before and after decompression' },
  INQUEST_RETENTION_DAYS: { about: 'days until telemetry is deleted; 0 keeps it, which replayed history needs' },
  INQUEST_SCAN_SECONDS: { about: 'seconds between two looks of detection' },
  INQUEST_TOKEN: { about: 'what commands show to a host instead of the token in the data directory', secret: true },
  INQUEST_IDENTITIES: { about: 'JSON file of people and senders with their roles (inquest token makes entries)' },
  INQUEST_APPROVAL_HOURS: { about: 'hours until a proposal that nobody decides on is off' },
  INQUEST_WEBHOOK_URL: { about: 'where approved actions are sent; unset: they are dry runs' },
  INQUEST_WEBHOOK_SECRET: { about: 'signs what is sent there', secret: true },
  CLICKHOUSE_URL: { about: 'a ClickHouse server; unset: the embedded engine' },
  CLICKHOUSE_USER: { about: 'its user' },
  CLICKHOUSE_PASSWORD: { about: 'its password', secret: true },
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
    const given = environment[name];
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
  return text?.replace(/(:\/\/[^/@\s:]*):[^/@\s]*@/, '$1:***@');
}

/** Both or neither: an unsigned request for an action could come from anybody. */
function readWebhook(value: z.output<typeof environmentSchema>): Config['approval']['webhook'] {
  const { INQUEST_WEBHOOK_URL: url, INQUEST_WEBHOOK_SECRET: secret } = value;
  return url !== undefined && secret !== undefined ? { url, secret: new Secret(secret) } : undefined;
}

/** The configuration of this process. */
export function loadProcessConfig(overrides: Readonly<Record<string, string | undefined>> = {}): Config {
  return loadConfig({ ...process.env, ...overrides });
}
