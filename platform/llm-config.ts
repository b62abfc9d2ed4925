/** The slice of the configuration for the chat model: its variables, what goes together, limits and prices. */
import { z } from 'zod';

/** What all calls of one investigation, or of one question, may take together; undefined: no limit. */
export interface LlmBudget {
  readonly tokens: number | undefined;
  readonly usd: number | undefined;
  /** During which at least one call was under way. */
  readonly seconds: number | undefined;
}

/** USD per million tokens. */
export interface LlmPrice {
  readonly inputUsd: number;
  readonly outputUsd: number;
}

const LIMIT = /^(tokens|usd|seconds)=(\d+(?:\.\d+)?)$/;
const PRICE = /^([^\s,]+)=(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/;

const budgetText = z
  .string()
  .refine(
    (text) => text === 'off' || text.split(',').every((part) => LIMIT.test(part)),
    'limits such as tokens=200000,usd=0.50,seconds=300 (what is left out has none), or off',
  );

const pricesText = z
  .string()
  .refine(
    (text) => text.split(',').every((part) => PRICE.test(part)),
    'MODEL=INPUT/OUTPUT in USD per million tokens, more of them behind commas',
  );

const positive = z
  .string()
  .regex(/^[1-9]\d{0,5}$/, 'a whole number above 0')
  .transform(Number);

export const llmShape = {
  INQUEST_LLM_URL: z.url({ protocol: /^https?$/ }).optional(),
  INQUEST_LLM_MODEL: z.string().min(1).max(200).optional(),
  INQUEST_LLM_FALLBACK_MODEL: z.string().min(1).max(200).optional(),
  INQUEST_LLM_KEY: z.string().min(1).optional(),
  INQUEST_LLM_BUDGET: budgetText.default('tokens=200000,seconds=300'),
  INQUEST_LLM_PRICES: pricesText.optional(),
  INQUEST_LLM_CONCURRENCY: positive.default(4),
  INQUEST_LLM_REDACTION: z.enum(['on', 'off']).default('on'),
};

type Values = z.output<z.ZodObject<typeof llmShape>>;

/** What each variable is for. */
export const LLM_VARIABLES = {
  INQUEST_LLM_URL: { about: 'an OpenAI-compatible API, with its /v1; unset: no model, everything is computed' },
  INQUEST_LLM_MODEL: { about: 'the model there; needed with the URL' },
  INQUEST_LLM_FALLBACK_MODEL: { about: 'the model to ask when the first is away' },
  INQUEST_LLM_KEY: { about: 'its API key; unset: the endpoint needs none', secret: true },
  INQUEST_LLM_BUDGET: { about: 'what one investigation may take: tokens=N,usd=N,seconds=N, or off' },
  INQUEST_LLM_PRICES: { about: 'MODEL=INPUT/OUTPUT,... in USD per million tokens; unset: cost is not known' },
  INQUEST_LLM_CONCURRENCY: { about: 'calls to the model at one time' },
  INQUEST_LLM_REDACTION: { about: 'off: secrets and personal data leave for the model as they are' },
} as const;

/** An address and a model, named on purpose: no key that lies around in a shell may send telemetry to anybody. */
export function judgeLlm(value: Values, complain: (variable: keyof Values, message: string) => void): void {
  const both = ['INQUEST_LLM_URL', 'INQUEST_LLM_MODEL'] as const;
  const others = ['INQUEST_LLM_FALLBACK_MODEL', 'INQUEST_LLM_KEY', 'INQUEST_LLM_PRICES'] as const;
  const given = [...both, ...others].find((name) => value[name] !== undefined);
  for (const name of both) {
    if (given !== undefined && value[name] === undefined) complain(name, `is missing, and ${given} is set`);
  }
  const url = value.INQUEST_LLM_URL;
  if (url && (URL.parse(url)?.username || URL.parse(url)?.password)) {
    complain('INQUEST_LLM_URL', 'holds an account: put the key into INQUEST_LLM_KEY');
  }
}

export interface LlmConfig {
  /** Of an OpenAI-compatible API, up to and with `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Asked when `model` is away. */
  readonly fallbackModel: string | undefined;
  /** Whoever sends it asks for it; it never prints. */
  readonly key: { reveal(): string } | undefined;
  readonly budget: LlmBudget;
  /** By model. What a model without a price costs is not known. */
  readonly prices: ReadonlyMap<string, LlmPrice>;
  /** Calls under way at one time in one process. */
  readonly concurrency: number;
  /** Secrets and personal data become labels before anything leaves. */
  readonly isRedacting: boolean;
}

/** @param hide makes of the key what never prints */
export function readLlm(value: Values, hide: (text: string) => { reveal(): string }): LlmConfig | undefined {
  const { INQUEST_LLM_URL: url, INQUEST_LLM_MODEL: model } = value;
  if (url === undefined || model === undefined) return undefined;
  return {
    url,
    model,
    fallbackModel: value.INQUEST_LLM_FALLBACK_MODEL,
    key: value.INQUEST_LLM_KEY === undefined ? undefined : hide(value.INQUEST_LLM_KEY),
    budget: parseBudget(value.INQUEST_LLM_BUDGET),
    prices: parsePrices(value.INQUEST_LLM_PRICES),
    concurrency: value.INQUEST_LLM_CONCURRENCY,
    isRedacting: value.INQUEST_LLM_REDACTION === 'on',
  };
}

function parseBudget(text: string): LlmBudget {
  const given = new Map(text.split(',').map((part) => [LIMIT.exec(part)?.[1], Number(LIMIT.exec(part)?.[2])]));
  return { tokens: given.get('tokens'), usd: given.get('usd'), seconds: given.get('seconds') };
}

function parsePrices(text: string | undefined): ReadonlyMap<string, LlmPrice> {
  const found = (text?.split(',') ?? []).map((part) => PRICE.exec(part));
  return new Map(
    found.flatMap((price) =>
      price?.[1] ? [[price[1], { inputUsd: Number(price[2]), outputUsd: Number(price[3]) }]] : [],
    ),
  );
}
