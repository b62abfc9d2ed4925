import { describe, expect, it } from 'vitest';
import {
  type Caller,
  decisionNameOf,
  type Identity,
  identitySchema,
  leastRole,
  mayDecide,
  mayOperate,
  mayRead,
  maySend,
  type Role,
  recogniseCaller,
  roleSchema,
  tokenDigest,
} from './identity.ts';
import { riskTierSchema } from './remediation.ts';

const lea: Identity = { name: 'lea', role: 'lead', tokenSha256: tokenDigest('the token of lea') };
const caller = (role: Role): Caller => ({ name: 'somebody', role });

describe('a role', () => {
  it.each<[Role, string]>([
    ['sender', ''],
    ['viewer', ''],
    ['member', 'info low'],
    ['lead', 'info low medium'],
    ['manager', 'info low medium high'],
  ])('%s decides on: %s', (role, tiers) => {
    expect(riskTierSchema.options.filter((tier) => mayDecide(caller(role), tier)).join(' ')).toBe(tiers);
  });

  it('opens what it says', () => {
    const those = (may: (one: Caller) => boolean) => roleSchema.options.filter((role) => may(caller(role)));
    expect(those(mayRead)).toEqual(['viewer', 'member', 'lead', 'manager']);
    expect(those(maySend)).toEqual(['sender', 'member', 'lead', 'manager']);
    expect(those(mayOperate)).toEqual(['member', 'lead', 'manager']);
    expect(riskTierSchema.options.map(leastRole)).toEqual(['member', 'member', 'lead', 'manager']);
  });
});

describe('recogniseCaller', () => {
  const localToken = 'the local token';

  it('gives the local token every role while nobody is configured', () => {
    expect(recogniseCaller(localToken, { localToken, identities: [] })).toEqual({ name: 'local', role: 'manager' });
  });

  it('lets the local token operate, and decide on nothing, once somebody is', () => {
    const local = recogniseCaller(localToken, { localToken, identities: [lea] });
    if (!local) return expect.fail('the local token is known');
    expect([mayRead(local), maySend(local), mayOperate(local)]).toEqual([true, true, true]);
    expect(riskTierSchema.options.some((tier) => mayDecide(local, tier))).toBe(false);
  });

  it('knows a person by their token, and nobody by its digest or by less', () => {
    const known = { localToken, identities: [lea] };
    expect(recogniseCaller('the token of lea', known)).toEqual({ name: 'lea', role: 'lead' });
    for (const stranger of ['', 'the token of le', lea.tokenSha256]) {
      expect(recogniseCaller(stranger, known)).toBeUndefined();
    }
  });
});

describe('the name of a decision', () => {
  it('is the one that the token proves; what else is said counts with the local token only, and is marked', () => {
    expect(decisionNameOf({ name: 'lea', role: 'lead' }, 'the boss')).toBe('lea');
    const local: Caller = { name: 'local', role: 'manager' };
    expect([undefined, '', ' ', 'local', 'alice', 'alice (local)'].map((said) => decisionNameOf(local, said))).toEqual([
      ...['local', 'local', 'local', 'local'],
      ...['alice (local)', 'alice (local)'],
    ]);
    expect(identitySchema.safeParse({ ...lea, name: 'local' }).success).toBe(false);
    expect(identitySchema.safeParse({ ...lea, name: 'policy:info' }).success).toBe(false);
  });
});
