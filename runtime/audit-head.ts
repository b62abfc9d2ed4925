/**
 * The head of the audit chain, in the data directory: `audit.NAME.head` says where the chain ends, under a MAC with the key in
 * `audit.key` (0600). Who can write to the database but not read that file can cut or rewrite the table, but not the head.
 *
 * What it cannot show: that whoever reads the key forged both, or that table and head were put back together to an older copy.
 * For that, note the last hash that `inquest audit verify` prints somewhere else.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AuditHead, HeadReading, HeadRecord } from '../clickhouse/audit-log.ts';
import { auditEntrySchema } from '../domain/audit.ts';
import { errorMessage, UnavailableError } from '../platform/errors.ts';
import { canonicalJson } from '../platform/ids.ts';

const fileSchema = z.object({
  sequence: z.int().nonnegative(),
  hash: z.string().length(64),
  /** The entry on its way into the table. */
  next: auditEntrySchema.optional(),
  /** HMAC-SHA-256 over the canonical JSON of the log's name and all of the above, in hex. */
  mac: z.string().length(64),
});

const KEY_BYTES = 32;
export const AUDIT_KEY_FILE = 'audit.key';
export const auditHeadFile = (name: string): string => `audit.${name}.head`;

/** @param name of the log: the database that holds its table */
export function createAuditHead({ dataDir, name }: { dataDir: string; name: string }): AuditHead {
  const keyPath = join(dataDir, AUDIT_KEY_FILE);
  const headPath = join(dataDir, auditHeadFile(name));

  const seal = (key: string, head: Omit<z.input<typeof fileSchema>, 'mac'>) =>
    createHmac('sha256', Buffer.from(key, 'hex'))
      .update(canonicalJson({ name, ...head }))
      .digest('hex');

  async function readKey(): Promise<string | undefined> {
    const text = (await readIfThere(keyPath))?.trim();
    return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  }

  return {
    read: async (): Promise<HeadReading> => {
      const [key, text] = [await readKey(), await readIfThere(headPath)];
      const head = text === undefined ? undefined : parse(text);
      if (key === undefined) {
        // The first head is written before the key: one that says "nothing yet" without a key is a start that was cut off.
        const unused = text === undefined || (head?.sequence === 0 && (await readIfThere(keyPath)) === undefined);
        return { trusted: false, reason: `the key of the audit log, ${keyPath}, is missing or damaged`, unused };
      }
      if (text === undefined) {
        return { trusted: false, reason: `the head of the audit log, ${headPath}, is missing`, unused: false };
      }
      if (head === undefined || seal(key, withoutMac(head)) !== head.mac) {
        return { trusted: false, reason: `the head of the audit log, ${headPath}, was altered`, unused: false };
      }
      const standing = { sequence: head.sequence, hash: head.hash };
      return { trusted: true, standing, ...(head.next ? { next: head.next } : {}) };
    },

    // One process has the directory, and the log asks one thing after the other: what was read still stands.
    write: async ({ standing, next }: HeadRecord): Promise<boolean> => {
      try {
        const known = await readKey();
        const key = known ?? randomBytes(KEY_BYTES).toString('hex');
        const head = { sequence: standing.sequence, hash: standing.hash, ...(next ? { next } : {}) };
        await replaceDurably(dataDir, headPath, JSON.stringify({ ...head, mac: seal(key, head) }));
        if (known === undefined) await replaceDurably(dataDir, keyPath, key);
        return true;
      } catch (error) {
        throw new UnavailableError(
          `${headPath} cannot be written (${errorMessage(error)}): without it nothing is recorded, so nothing is done.`,
          { cause: error },
        );
      }
    },
  };
}

function parse(text: string): z.output<typeof fileSchema> | undefined {
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function withoutMac({ mac: _, ...head }: z.output<typeof fileSchema>): Omit<z.output<typeof fileSchema>, 'mac'> {
  return head;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UnavailableError(`${path} cannot be read: ${errorMessage(error)}.`, { cause: error });
  }
}

/** The old content or the new one, whatever crashes; on the disk when it resolves. */
async function replaceDurably(directory: string, path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
