/** Who somebody is and what their role lets them do. Tokens are known by their digest only. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { RiskTier } from './remediation.ts';

/**
 * sender: sends telemetry and changes, reads nothing. viewer: reads. member, lead, manager: read, send, open incidents and decide on
 * actions up to their tier.
 */
export const roleSchema = z.enum(['sender', 'viewer', 'member', 'lead', 'manager']);
export type Role = z.infer<typeof roleSchema>;

/** The name of the data directory's own token. */
export const LOCAL_NAME = 'local';

export const identitySchema = z
  .object({
    name: z
      .string()
      .regex(/^[\w.@-]{1,128}$/, 'letters, digits and . _ @ -')
      .refine((name) => name !== LOCAL_NAME, 'taken by the token of the data directory'),
    role: roleSchema,
    /** SHA-256 of the token, 64 hex digits: the file that holds identities gives nobody access. */
    tokenSha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the token, in hex'),
  })
  .strict();
export type Identity = z.infer<typeof identitySchema>;

/** Whoever asks, once recognised: a configured identity, or the holder of the data directory's own token. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
  /** False: does what its role may, but decides on nothing. */
  readonly decides?: false;
}

/**
 * Who holds this token; undefined: a stranger. Without identities the data directory's token has every role. With identities
 * it still runs the host (it reads, sends, operates), but decisions are taken by people who are known by name.
 */
export function recogniseCaller(
  token: string,
  known: { readonly localToken: string; readonly identities: readonly Identity[] },
): Caller | undefined {
  const digest = Buffer.from(tokenDigest(token));
  const isOf = (other: string) => timingSafeEqual(digest, Buffer.from(other));
  if (isOf(tokenDigest(known.localToken))) {
    return known.identities.length === 0
      ? { name: LOCAL_NAME, role: 'manager' }
      : { name: LOCAL_NAME, role: 'member', decides: false };
  }
  const identity = known.identities.find(({ tokenSha256 }) => isOf(tokenSha256));
  return identity && { name: identity.name, role: identity.role };
}

/** The name a decision is recorded under: the caller's own; the local token's holder may say who they are, marked as unproven. */
export function decisionNameOf({ name }: Caller, said = ''): string {
  const claimed = said.trim().replace(/ \(local\)$/, '');
  return name !== LOCAL_NAME || claimed === '' || claimed === LOCAL_NAME ? name : `${claimed} (local)`;
}

const LEAST_ROLE: Readonly<Record<Exclude<RiskTier, 'info'>, Role>> = {
  low: 'member',
  medium: 'lead',
  high: 'manager',
};

export function mayRead({ role }: Caller): boolean {
  return role !== 'sender';
}

export function maySend({ role }: Caller): boolean {
  return role !== 'viewer';
}

/** Whether the caller may open incidents, start investigations and stop the host. */
export function mayOperate({ role }: Caller): boolean {
  return rankOf(role) >= rankOf('member');
}

/** Whether the caller may approve or reject an action of this tier. Tier info needs no person. */
export function mayDecide({ role, decides }: Caller, tier: RiskTier): boolean {
  return decides !== false && rankOf(role) >= rankOf(leastRole(tier));
}

/** The least role that decides on actions of this tier. */
export function leastRole(tier: RiskTier): Role {
  return tier === 'info' ? 'member' : LEAST_ROLE[tier];
}

function rankOf(role: Role): number {
  return roleSchema.options.indexOf(role);
}

/** What a token is stored and compared as. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
