import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokenDigest } from '../domain/identity.ts';
import { ConfigError } from '../platform/errors.ts';
import { readIdentities } from './read-identities.ts';

const lea = { name: 'lea', role: 'lead', tokenSha256: tokenDigest('of lea') };
const max = { name: 'max', role: 'manager', tokenSha256: tokenDigest('of max') };

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'inquest-identities-')), 'identities.json');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

describe('the file of identities', () => {
  it('names who is known; without one nobody is', async () => {
    writeFileSync(path, JSON.stringify([lea, max]));
    expect(await readIdentities(path)).toEqual([lea, max]);
    expect(await readIdentities(undefined)).toEqual([]);
  });

  it('is refused with all that is wrong in it', async () => {
    const wrong = [lea, { ...max, role: 'boss' }, { ...max, name: 'local' }, { ...lea, token: 'of lea' }, lea];
    writeFileSync(path, JSON.stringify(wrong));
    chmodSync(path, 0o666);
    const refusal: unknown = await readIdentities(path).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    for (const part of [
      path,
      '1.role',
      '2.name',
      '3:',
      'lea is there twice',
      'same token',
      'chmod o-w',
      'inquest token',
    ]) {
      expect(String(refusal)).toContain(part);
    }
    expect(String(refusal)).not.toContain('of lea');
  });

  it.each([
    ['not JSON', '[{', /JSON/],
    ['no array', '{}', /not a JSON array/],
    ['empty', '[]', /names nobody/],
  ])('is refused when it is %s', async (_, text, message) => {
    writeFileSync(path, text);
    await expect(readIdentities(path)).rejects.toThrow(message);
  });

  it('is refused when it is not there', async () => {
    await expect(readIdentities(path)).rejects.toThrow(/ENOENT/);
  });
});
