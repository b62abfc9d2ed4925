/** The file of identities: who may do what, by the digest of their token. Read once, at start; every problem named at once. */
import { readFile, stat } from 'node:fs/promises';
import { type Identity, identitySchema } from '../domain/identity.ts';
import { ConfigError, errorMessage } from '../platform/errors.ts';

const OTHERS_WRITE = 0o002;

/**
 * @param path of a JSON array of identities, as `inquest token` prints them; undefined: nobody is configured
 * Throws ConfigError when the file cannot be read, holds anything else, names somebody twice, or anybody may write it.
 */
export async function readIdentities(path: string | undefined): Promise<readonly Identity[]> {
  if (path === undefined) return [];
  const problems: string[] = [];
  const identities: Identity[] = [];
  for (const [index, item] of (await readItems(path, problems)).entries()) {
    const parsed = identitySchema.safeParse(item);
    if (parsed.success) identities.push(parsed.data);
    else problems.push(...parsed.error.issues.map((issue) => `${[index, ...issue.path].join('.')}: ${issue.message}`));
  }
  for (const name of repeated(identities.map((one) => one.name))) problems.push(`${name} is there twice`);
  for (const digest of repeated(identities.map((one) => one.tokenSha256))) {
    const names = identities.filter((one) => one.tokenSha256 === digest).map((one) => one.name);
    problems.push(`${names.join(' and ')} have the same token`);
  }
  if (problems.length === 0 && identities.length === 0) problems.push('it names nobody');
  if (problems.length === 0) return identities;
  throw new ConfigError(
    `INQUEST_IDENTITIES: ${path} is not valid. ${problems.join('; ')}. "inquest token NAME --role ROLE" prints an entry.`,
    { details: { problems } },
  );
}

async function readItems(path: string, problems: string[]): Promise<readonly unknown[]> {
  try {
    if (((await stat(path)).mode & OTHERS_WRITE) !== 0) problems.push('everybody may write it: chmod o-w');
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (Array.isArray(value)) return value;
    problems.push('it is not a JSON array of identities');
  } catch (error) {
    problems.push(errorMessage(error));
  }
  return [];
}

function repeated(texts: readonly string[]): Set<string> {
  return new Set(texts.filter((text, index) => texts.indexOf(text) !== index));
}
