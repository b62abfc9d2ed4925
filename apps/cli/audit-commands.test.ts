/** `inquest audit` and `inquest token` as processes, and what they print, over a host that answers over real HTTP. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditEntry, type AuditRecord, sealAuditEntry } from '../../domain/audit.ts';
import { identitySchema, tokenDigest } from '../../domain/identity.ts';
import { plainPalette } from './palette.ts';
import { readAuditFile } from './read-audit-file.ts';
import { renderAuditRecords, renderAuditVerification } from './render-audit.ts';
import { startInquest } from './run-inquest.fixture.ts';
import { openStubHost, type StubHost } from './stub-host.fixture.ts';

function chainOf(count: number): AuditEntry[] {
  const chain: AuditEntry[] = [];
  for (let index = 1; index <= count; index++) {
    const kind = index % 2 === 0 ? 'approval.decided' : 'action.intended';
    const details = { approvalId: 'apr_1', actionDigest: 'ab'.repeat(32), reason: 'known \u001b[31mbad\u009b' };
    const content = { atMs: 1_767_225_600_000 + index, actor: 'lea', kind, subject: `inv_${index}`, details };
    chain.push(sealAuditEntry(content, chain.at(-1)));
  }
  return chain;
}
const chain = chainOf(5);
const lastHash = chain.at(-1)?.hash ?? '';
const whole = { whole: true, entries: 5, last: { sequence: 5, hash: lastHash }, problems: [] };
const broken = { ...whole, whole: false, problems: [{ sequence: 3, problem: 'missing, the next is 4' }] };

let dataDir: string;
let host: StubHost | undefined;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'inquest-cli-'));
});
afterEach(async () => {
  await host?.close();
  host = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

async function openHost(records: readonly AuditRecord[] = chain, verification: object = whole): Promise<void> {
  host = await openStubHost({
    dataDir,
    answers: { listAudit: () => [200, { entries: records }], verifyAudit: () => [200, verification] },
  });
}

const inquest = (...words: string[]) => startInquest([...words, '--data-dir', dataDir]).finished;
const signal = new AbortController().signal;
const page = { width: 80, palette: plainPalette, command: ['inquest'] };

describe('audit list', () => {
  it('shows the newest that match, cleaned, for people and for machines', async () => {
    await openHost();
    const { code, stdout } = await inquest('audit', 'list', '--kind', 'approval', '--limit', '1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/4 +2026-01-01 00:00:00 +approval\.decided +lea\n {2}inv_4, approvalId/);
    expect(stdout).toContain('actionDigest: abababab, reason: known bad');
    expect(stdout).not.toContain('inv_2');
    const json = await inquest('audit', 'list', '--subject', 'inv_3', '--json');
    expect(JSON.parse(json.stdout)).toEqual({ entries: [chain[2]] });
  });

  it('shows what cannot be read as such', () => {
    expect(renderAuditRecords([{ sequence: 3, unreadable: 'its body is no audit entry' }], page)).toMatch(
      /3 +UNREADABLE\s+its body is no audit entry/,
    );
    expect(renderAuditRecords([], page)).toContain('No entries.');
  });
});

describe('audit verify', () => {
  it('says by its exit status whether the log is whole, and names the first bad entry', async () => {
    await openHost(chain, broken);
    const { code, stdout } = await inquest('audit', 'verify');
    expect(code).toBe(7);
    expect(stdout).toContain('BROKEN. First: entry 3: missing, the next is 4.');
    expect(renderAuditVerification(whole, page, { isFile: false })).toContain(lastHash);
  });

  it('takes a noted hash', async () => {
    await openHost();
    expect((await inquest('audit', 'verify', '--hash', lastHash, '--json')).code).toBe(0);
    const other = await inquest('audit', 'verify', '--hash', 'f'.repeat(64), '--json');
    expect(other.code).toBe(7);
    expect(JSON.parse(other.stdout)).toMatchObject({ whole: false, problems: [{ sequence: 5 }] });
  });
});

describe('audit export', () => {
  it('writes what verifies without a host', async () => {
    await openHost();
    const file = join(dataDir, 'audit.jsonl');
    const { code, stderr } = await inquest('audit', 'export', file);
    expect(code).toBe(0);
    expect(stderr.replace(/\s+/g, ' ')).toContain(`5 entries exported; the last has the hash ${lastHash}`);
    expect(statSync(file).mode & 0o077).toBe(0);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('\u009b');
    await host?.close();
    host = undefined;
    const verified = await inquest('audit', 'verify', '--file', file, '--json');
    expect([verified.code, JSON.parse(verified.stdout)]).toEqual([0, whole]);

    const lines = text.trimEnd().split('\n');
    const verifyLines = async (changed: readonly string[]) => {
      writeFileSync(file, changed.join('\n'));
      return (await readAuditFile(file, signal)).problems[0]?.sequence;
    };
    expect(await verifyLines(lines)).toBeUndefined();
    expect(await verifyLines(lines.with(2, lines[2]?.replace('lea', 'eve') ?? ''))).toBe(3);
    expect(await verifyLines(lines.toSpliced(1, 1))).toBe(2);
    expect(await verifyLines(lines.with(4, lines[4]?.slice(0, 50) ?? ''))).toBe(5);
    expect(await verifyLines(['{}'])).toBe(1);
    writeFileSync(file, '');
    expect((await readAuditFile(file, signal)).whole).toBe(false);
    await expect(readAuditFile(join(dataDir, 'nowhere'), signal)).rejects.toMatchObject({ name: 'InputError' });
  });
});

describe('token', () => {
  it('prints a fresh token once, and a line that knows only its digest', async () => {
    const [one, two] = await Promise.all([
      inquest('token', 'lea', '--role', 'lead', '--json'),
      inquest('token', 'lea', '--role', 'lead'),
    ]);
    const { token, identity } = JSON.parse(one.stdout);
    expect(identitySchema.parse(identity)).toEqual({ name: 'lea', role: 'lead', tokenSha256: tokenDigest(token) });
    const [, printed = '', , line = ''] = two.stdout.split('\n');
    expect(printed).toMatch(/^inq_[\w-]{43}$/);
    expect(printed).not.toBe(token);
    expect(JSON.parse(line).tokenSha256).toBe(tokenDigest(printed));
  });

  it('refuses names that are none', async () => {
    const { code, stderr } = await inquest('token', 'policy:info', '--role', 'lead');
    expect(code).toBe(2);
    expect(stderr).toContain('is no name for a token');
  });
});
