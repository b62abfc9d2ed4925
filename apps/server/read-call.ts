/** The one place where queries and bodies of the API are read and checked; what is wrong is named. */
import { z } from 'zod';
import { describeIssues } from '../../api/api-errors.ts';
import { contentCodingOf, createByteBudget, readBody } from '../../ingest/read-body.ts';
import { errorMessage, InputError, LimitError } from '../../platform/errors.ts';
import { refuse } from './http-errors.ts';

const MAX_BODY_BYTES = 1024 * 1024;

/** Reads a query string into the schema's shape; throws InputError that names the parameter. */
export type QueryReader = (given: Readonly<Record<string, readonly string[]>>) => object;

/** @param schema left out: the route takes no parameters */
export function createQueryReader(schema: z.ZodObject = z.strictObject({})): QueryReader {
  const integers = new Set(Object.keys(schema.shape).filter((name) => isInteger(schema.shape[name])));
  return (given) => {
    const value = Object.fromEntries(
      Object.entries(given).map(([name, texts]) => [name, readParameter(name, texts, integers.has(name))]),
    );
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new InputError(`The query is not valid: ${describeIssues(parsed.error)}.`);
    return parsed.data;
  };
}

function isInteger(schema: unknown): boolean {
  return schema instanceof z.ZodType && z.toJSONSchema(schema, { io: 'input' }).type === 'integer';
}

function readParameter(name: string, texts: readonly string[], isWhole: boolean): string | number {
  const [text = '', ...others] = texts;
  if (others.length > 0) throw new InputError(`The query is not valid: ${name}: given more than once.`);
  if (!isWhole) return text;
  if (!/^-?\d{1,16}$/.test(text)) throw new InputError(`The query is not valid: ${name}: not a whole number.`);
  return Number(text);
}

/** What the body says in the schema's shape, or the refusal of it; throws InputError for what is not valid. */
export async function readInput(request: Request, schema: z.ZodType): Promise<{ input: unknown } | Response> {
  const coding = contentCodingOf(request);
  if (coding === undefined || !/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    return refuse(415, 'unsupported-media-type', 'Send the body as application/json, plain or gzip.');
  }
  const limits = { maxBodyBytes: MAX_BODY_BYTES, budget: createByteBudget(MAX_BODY_BYTES) };
  try {
    return { input: parseInput(await readBody(request, coding, limits), schema) };
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    return refuse(413, 'payload-too-large', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
  }
}

function parseInput(body: Buffer, schema: z.ZodType): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new InputError(`The body is not JSON: ${errorMessage(error)}.`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InputError(`The body is not valid: ${describeIssues(parsed.error)}.`);
  return parsed.data;
}
