/** The answers to the routes about anomalies and noise. */

import type { NOISE_ROUTES } from '../../api/noise-routes.ts';
import type { ApiHandlers } from './api-calls.ts';
import type { Host } from './host.ts';
import { formatCursor, parseCursor } from './page-cursor.ts';
import { windowOf } from './read-window.ts';

export function createNoiseHandlers(host: Host): Pick<ApiHandlers, keyof typeof NOISE_ROUTES> {
  const noise = () => host.runtime().noise;
  return {
    listAnomalies: async ({ query: { service, show, limit, cursor, ...span }, signal }) => {
      const window = windowOf(span, host.clock.nowMs());
      const after = cursor === undefined ? undefined : parseCursor(cursor);
      const question = { window, service, limit, after, withHidden: show === 'all' };
      const { records: anomalies, next } = await host.runtime().anomalies.list(question, signal);
      return { anomalies, ...(next ? { nextCursor: formatCursor(next) } : {}) };
    },
    getAnomaly: ({ id, signal }) => host.runtime().explainAnomaly(id, signal),
    giveFeedback: ({ id, input, caller }) => noise().giveFeedback(id, input, caller),
    listRules: async ({ signal }) => ({ rules: await noise().listRules(signal) }),
    acceptRule: ({ id, input, caller }) => noise().acceptRule(id, input, caller),
    revokeRule: ({ id, input, caller }) => noise().revokeRule(id, input, caller),
    getFalsePositives: ({ signal }) => noise().falsePositives(signal),
  };
}
