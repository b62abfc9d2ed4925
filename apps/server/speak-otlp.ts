/** Senders of OTLP read refusals as google.rpc.Status: also those that are not the receiver's, but ours. */
import { apiErrorSchema } from '../../api/api-shapes.ts';
import { PROTOCOL_ROUTES } from '../../api/protocol-routes.ts';
import { answerRefused } from '../../ingest/otlp/otlp-answer.ts';
import type { Guard } from './request-guards.ts';

const { sendTraces, sendLogs, sendMetrics } = PROTOCOL_ROUTES;
const PATHS = [sendTraces, sendLogs, sendMetrics].map(({ path }) => path);

/** Ours while the receiver is not reached: strangers, the wrong role or page, a host that is not ready. */
const STATUSES = [401, 403, 500, 503] as const;

export const speakOtlp: Guard = async (context, next) => {
  await next();
  const status = STATUSES.find((one) => one === context.res.status);
  if (status === undefined || !PATHS.includes(context.req.path)) return;
  const refusal = apiErrorSchema.safeParse(await readJson(context.res.clone()));
  if (!refusal.success) return;
  const isProtobuf = /^application\/x-protobuf\s*(;|$)/i.test(context.req.header('content-type') ?? '');
  // Other headers than the content's are kept by the framework.
  context.res = answerRefused(isProtobuf ? 'protobuf' : 'json', status, refusal.data.error.message);
};

async function readJson(response: Response): Promise<unknown> {
  if (!response.headers.get('content-type')?.startsWith('application/json')) return undefined;
  return response.json();
}
