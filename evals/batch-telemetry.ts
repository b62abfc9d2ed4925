/** A simulated batch as the requests that carry it to the receivers, none larger than they take. */
import { type BatchRequest, requestsOf } from '../simulator/batch-requests.ts';
import type { SimulatedBatch } from '../simulator/simulate-shop.ts';
import type { OtlpRequest } from './replay-case.ts';

/** Large, so that the engine stores few parts; far from the 16 MiB of a body. */
const MAX_RECORDS = 12_000;

export function telemetryOf(batch: SimulatedBatch): OtlpRequest[] {
  return requestsOf(batch, MAX_RECORDS).filter(isTelemetry);
}

function isTelemetry(request: BatchRequest): request is BatchRequest & OtlpRequest {
  return request.path !== '/v1/changes';
}
