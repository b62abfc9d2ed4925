/**
 * Who may ask what: tokens and the roles behind them, and a wall against web pages that a browser on this machine shows.
 * A page reaches loopback in two ways: by its own Origin, or by a DNS name of its own that it points here (rebinding).
 */

import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { isSame } from '../../api/host-lock.ts';
import { isAllowed, type Permission, rolesWith } from '../../api/permissions.ts';
import { type Caller, recogniseCaller } from '../../domain/identity.ts';
import type { Host, HostEnv } from './host.ts';
import { refuse } from './http-errors.ts';

export type Guard = MiddlewareHandler<HostEnv>;

/** Refuses requests made by pages of other sites; what is no browser sends no Origin. */
export const refuseForeignOrigins: Guard = async (context, next) => {
  const origin = context.req.header('origin');
  if (origin !== undefined && !isLoopbackName(hostnameOf(origin))) {
    return refuse(403, 'forbidden', `Pages of ${origin} may not use Inquest.`);
  }
  await next();
};

/** Refuses names that a stranger's DNS could point here; an address cannot be rebound. */
export function refuseForeignHosts(host: Host): Guard {
  return async (context, next) => {
    const name = hostnameOf(`http://${context.req.header('host') ?? new URL(context.req.url).host}`);
    const isOurs = isLoopbackName(name) || isIP(name) !== 0 || name === host.config.server.host.toLowerCase();
    if (!isOurs) {
      return refuse(
        403,
        'forbidden',
        `This host is not called "${name}": use its address, or set INQUEST_HOST to that name.`,
      );
    }
    await next();
  };
}

/** Recognises who asks, for what follows; strangers are refused. */
export function requireCaller(host: Host): Guard {
  return async (context, next) => {
    const caller = recognise(host, context.req.header('authorization'));
    if (typeof caller === 'string') return answerRefusal(refusalOfStranger(caller));
    context.set('caller', caller);
    await next();
  };
}

/** After requireCaller. */
export function requirePermission(permission: Permission): Guard {
  return async (context, next) => {
    const caller = context.get('caller');
    if (!isAllowed(caller, permission)) return answerRefusal(refusalFor(caller, permission));
    await next();
  };
}

/** Telemetry needs no token from this machine, and one that may send from any other. */
export function requireSenderFromAfar(host: Host): Guard {
  return async (context, next) => {
    const remoteAddress = context.env?.incoming?.socket.remoteAddress;
    const refusal = judgeSender(host, { remoteAddress, authorization: context.req.header('authorization') });
    if (refusal) return answerRefusal(refusal);
    await next();
  };
}

interface Refusal {
  readonly status: 401 | 403;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why telemetry is not taken from them, over any protocol; undefined: it is. Throws as `recognise`. */
export function judgeSender(
  host: Host,
  sender: { readonly remoteAddress: string | undefined; readonly authorization: string | undefined },
): Refusal | undefined {
  if (isLoopbackAddress(sender.remoteAddress)) return undefined;
  const caller = recognise(host, sender.authorization);
  if (typeof caller === 'string') return refusalOfStranger(caller);
  return isAllowed(caller, 'send') ? undefined : refusalFor(caller, 'send');
}

/** What the WWW-Authenticate of a refusal says (RFC 6750, section 3) for a token that is missing, or unknown. */
type Challenge = 'Bearer realm="inquest"' | 'Bearer realm="inquest", error="invalid_token"';

/** Throws UnavailableError for other tokens than the host's own while identities are not read. */
function recognise(host: Host, authorization = ''): Caller | Challenge {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) return 'Bearer realm="inquest"';
  const isKnownAnyway = isSame(token, host.token) && host.state() !== 'ready';
  const identities = isKnownAnyway ? [] : host.runtime().identities;
  const caller = recogniseCaller(token, { localToken: host.token, identities });
  return caller ?? 'Bearer realm="inquest", error="invalid_token"';
}

function refusalOfStranger(challenge: Challenge): Refusal {
  const message = challenge.includes('error')
    ? 'This host knows no such token: use that of an identity it was started with (INQUEST_IDENTITIES), or the one in host.json in its data directory.'
    : 'Send "Authorization: Bearer TOKEN"; TOKEN is your own, or the one in host.json in the data directory.';
  return { status: 401, code: 'unauthorized', message, headers: { 'www-authenticate': challenge } };
}

function refusalFor({ name, role }: Caller, permission: Permission): Refusal {
  const roles = rolesWith(permission)
    .join(', ')
    .replace(/, (?=\w+$)/, ' or ');
  return { status: 403, code: 'forbidden', message: `${name} is a ${role}: this takes the role ${roles}.` };
}

function answerRefusal({ status, code, message, headers }: Refusal): Response {
  return refuse(status, code, message, headers);
}

/** Lower case, IPv6 without brackets; empty for what is no URL (`null`, as sandboxed pages send). */
function hostnameOf(url: string): string {
  const name = URL.canParse(url) ? new URL(url).hostname : '';
  return name.replace(/^\[|\]$/g, '').toLowerCase();
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || (isIP(name) !== 0 && isLoopbackAddress(name));
}

export function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address));
}
