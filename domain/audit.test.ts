import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuditContent,
  type AuditEntry,
  auditEntrySchema,
  createChainReader,
  findBrokenEntry,
  GENESIS,
  HEAD_REPLACED,
  sealAuditEntry,
} from './audit.ts';

const content = (subject: string): AuditContent => ({
  atMs: 1_767_225_600_000,
  actor: 'alice',
  kind: 'approval.decided',
  subject,
  details: { outcome: 'approved', tries: 1 },
});

function chainOf(contents: readonly AuditContent[]): AuditEntry[] {
  const chain: AuditEntry[] = [];
  for (const one of contents) chain.push(sealAuditEntry(one, chain.at(-1)));
  return chain;
}
const four = chainOf(['a', 'b', 'c', 'd'].map(content));

describe('sealAuditEntry', () => {
  it('binds each entry to the one before', () => {
    expect(four.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(four.map(({ previousHash }) => previousHash)).toEqual([
      GENESIS.hash,
      ...four.slice(0, 3).map(({ hash }) => hash),
    ]);
  });

  it('seals the same content behind the same entry alike', () => {
    expect(sealAuditEntry(content('b'), four[0])).toEqual(four[1]);
  });
});

describe('findBrokenEntry', () => {
  it('finds nothing in a chain that is whole', () => {
    expect(findBrokenEntry([])).toBeUndefined();
    expect(findBrokenEntry(four)).toBeUndefined();
  });

  it('finds nothing in one that was stored as JSON in between, whatever its details hold', () => {
    const details = fc.dictionary(fc.string(), fc.anything({ withDate: true, withSparseArray: true }));
    fc.assert(
      fc.property(fc.array(details, { maxLength: 5 }), (many) => {
        const chain = chainOf(many.map((one) => ({ ...content('a'), details: one })));
        const stored = chain.map((entry) => auditEntrySchema.parse(JSON.parse(JSON.stringify(entry))));
        expect(findBrokenEntry(stored)).toBeUndefined();
      }),
    );
  });

  const changes: Record<string, (entry: AuditEntry) => AuditEntry> = {
    time: (entry) => ({ ...entry, atMs: entry.atMs + 1 }),
    actor: (entry) => ({ ...entry, actor: 'mallory' }),
    kind: (entry) => ({ ...entry, kind: 'approval.requested' }),
    subject: (entry) => ({ ...entry, subject: 'z' }),
    detail: (entry) => ({ ...entry, details: { ...entry.details, outcome: 'rejected' } }),
    'added detail': (entry) => ({ ...entry, details: { ...entry.details, more: 1 } }),
    sequence: (entry) => ({ ...entry, sequence: entry.sequence + 1 }),
    'previous hash': (entry) => ({ ...entry, previousHash: GENESIS.hash.replace('0', '1') }),
    hash: (entry) => ({ ...entry, hash: 'f'.repeat(64) }),
  };
  it.each(Object.keys(changes))('finds the first entry whose %s was changed', (what) => {
    for (const [index, entry] of four.entries()) {
      const tampered = four.with(index, changes[what]?.(entry) ?? entry);
      expect(findBrokenEntry(tampered)).toBe(index + 1);
    }
  });

  it('finds the place where an entry was taken out, put in or moved', () => {
    const [a, b, c, d] = four as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
    expect(findBrokenEntry([b, c, d])).toBe(1);
    expect(findBrokenEntry([a, c, d])).toBe(2);
    expect(findBrokenEntry([a, b, a, c])).toBe(1);
    expect(findBrokenEntry([a, c, b, d])).toBe(2);
  });

  it('counts an entry that a crash stored twice once, and says so of no other pair', () => {
    const [a, b, c] = four as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
    expect(findBrokenEntry([a, b, b, c])).toBeUndefined();
    expect(findBrokenEntry([a, b, sealAuditEntry(content('z'), a), c])).toBe(2);
  });

  it('finds what is no entry, and what follows nothing that is known', () => {
    const [a, b, c] = four as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
    const reader = createChainReader();
    const problems = [a, { sequence: 2, unreadable: 'not JSON' }, c].map((record) => reader.read(record)?.sequence);
    expect(problems).toEqual([undefined, 2, 3]);
    expect(findBrokenEntry([a, b, sealAuditEntry({ ...content('x'), kind: HEAD_REPLACED }, b)])).toBe(3);
  });

  it('finds an entry that was sealed again after a change, by the one behind it', () => {
    const [a, b, c, d] = four as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
    const forged = sealAuditEntry({ ...content('b'), actor: 'mallory' }, a);
    expect(forged.sequence).toBe(b.sequence);
    expect(findBrokenEntry([a, forged, c, d])).toBe(3);
  });
});
