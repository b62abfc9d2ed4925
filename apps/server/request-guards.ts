/**
 * Who may ask what: the token for people's commands, and a wall against web pages that a browser on this machine shows.
 * A page reaches loopback in two ways: by its own Origin, or by a DNS name of its own that it points here (rebinding).
 */

import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { isSame } from '../../api/host-lock.ts';
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

export function requireToken(host: Host): Guard {
  return async (context, next) => {
    if (!hasToken(context.req.header('authorization'), host.token)) return refuseStranger();
    await next();
  };
}

/** Telemetry needs no token from this machine, and the token from any other. */
export function requireTokenFromAfar(host: Host): Guard {
  return async (context, next) => {
    const isNear = isLoopbackAddress(context.env?.incoming?.socket.remoteAddress);
    if (!isNear && !hasToken(context.req.header('authorization'), host.token)) return refuseStranger();
    await next();
  };
}

function refuseStranger(): Response {
  const message = 'Send "Authorization: Bearer TOKEN"; the token is in host.json in the data directory.';
  return refuse(401, 'unauthorized', message, { 'www-authenticate': 'Bearer' });
}

function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && isSame(given, token);
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
