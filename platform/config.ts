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

const environmentSchema = z.object({
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
  CLICKHOUSE_URL: z.url({ protocol: /^https?$/ }).optional(),
  CLICKHOUSE_USER: z.string().min(1).default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
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
  });
}

/** The configuration of this process. */
export function loadProcessConfig(overrides: Readonly<Record<string, string | undefined>> = {}): Config {
  return loadConfig({ ...process.env, ...overrides });
}
