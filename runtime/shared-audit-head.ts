/**
 * The head of the audit chain where several processes append to it: in Redis, compared before it is replaced. Who can write to the
 * database but not to Redis can cut or rewrite the table, but not the head; a Redis that loses it leaves a mark in the chain.
 */
import { z } from 'zod';
import type { AuditHead, HeadReading } from '../clickhouse/audit-log.ts';
import type { Register } from '../context-store/redis-register.ts';
import { auditEntrySchema } from '../domain/audit.ts';
import { canonicalJson } from '../platform/ids.ts';

const headSchema = z.object({
  standing: z.object({ sequence: z.int().nonnegative(), hash: z.string().length(64) }),
  next: auditEntrySchema.optional(),
});

const NAME = 'audit-head';

export function createSharedAuditHead(register: Register): AuditHead {
  /** As it was read, so that it is found again whatever wrote it. */
  const texts = new WeakMap<HeadReading, string | undefined>();
  return {
    read: async () => {
      const text = await register.get(NAME);
      const reading = describe(text);
      texts.set(reading, text);
      return reading;
    },
    write: async (head, expected) => {
      const known = texts.has(expected) ? texts.get(expected) : expected.trusted ? textOf(expected) : undefined;
      return (await register.compareAndSet(NAME, known, textOf(head))).isSet;
    },
  };
}

function textOf({ standing: { sequence, hash }, next }: z.input<typeof headSchema>): string {
  return canonicalJson({ standing: { sequence, hash }, ...(next ? { next } : {}) });
}

function describe(text: string | undefined): HeadReading {
  if (text === undefined) {
    return { trusted: false, reason: 'Redis has no head of the audit log: it is new there, or was lost', unused: true };
  }
  try {
    const { standing, next } = headSchema.parse(JSON.parse(text));
    return { trusted: true, standing, ...(next ? { next } : {}) };
  } catch {
    return { trusted: false, reason: 'the head of the audit log in Redis is not one of ours', unused: false };
  }
}
