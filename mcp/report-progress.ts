/** Tells a client how a long call goes on: as progress where it gave a token for that, otherwise as log messages. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type LoggingLevel,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { cleanTelemetry } from '../domain/quote-telemetry.ts';
import type { McpContext } from './catalogue.ts';

/** What the SDK tells about a request. */
export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const MAX_CHARACTERS = 300;
const SHOWS_INFO: readonly LoggingLevel[] = ['debug', 'info'];

/** Of one client, whose wish for log messages it hears. */
export function createReporter(server: Server): (extra: Extra) => McpContext['report'] {
  let wantsInfo = true;
  server.setRequestHandler(SetLevelRequestSchema, async ({ params: { level } }) => {
    wantsInfo = SHOWS_INFO.includes(level);
    return {};
  });
  return ({ _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken;
    let progress = 0;
    return async (text) => {
      const message = String(cleanTelemetry(text, { maxCharacters: MAX_CHARACTERS }).value);
      progress++;
      if (progressToken !== undefined) {
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, message } });
      } else if (wantsInfo) {
        const params = { level: 'info' as const, logger: 'inquest', data: message };
        await sendNotification({ method: 'notifications/message', params });
      }
    };
  };
}
