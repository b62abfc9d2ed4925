/** Structured logs on stderr, so that stdout stays free for reports and protocols. */
import { pino } from 'pino';

export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'> & { child(bindings: object): Logger };

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** @param level the least severe level that is written */
export function createLogger(level: (typeof LOG_LEVELS)[number]): Logger {
  return pino(
    { level, base: null, redact: ['password', '*.password', 'token', '*.token', 'authorization', '*.authorization'] },
    pino.destination({ dest: 2, sync: true }),
  );
}

export const silentLogger: Logger = createLogger('silent');
