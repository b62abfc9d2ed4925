/** What a route asks of its caller, and which roles have it. */
import { type Caller, mayOperate, mayRead, maySend, type Role, roleSchema } from '../domain/identity.ts';

/**
 * nobody: no token needed. send: telemetry and changes. operate: opens incidents, scans, stops the host. decide: on proposals;
 * how risky they may be depends on the role (domain/identity.ts), which the decision itself checks.
 */
export type Permission = 'nobody' | 'read' | 'send' | 'operate' | 'decide';

const HAS: Readonly<Record<Permission, (caller: Caller) => boolean>> = {
  nobody: () => true,
  read: mayRead,
  send: maySend,
  operate: mayOperate,
  decide: mayOperate,
};

export function isAllowed(caller: Caller, permission: Permission): boolean {
  return HAS[permission](caller);
}

/** The roles that have it, the least first. */
export function rolesWith(permission: Permission): Role[] {
  return roleSchema.options.filter((role) => isAllowed({ name: role, role }, permission));
}
