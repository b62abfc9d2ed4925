/** The data of one customer, or what is set up for one region, trips a service: everybody else is fine. */
import type { Visit } from '../disturbance.ts';
import { busiestCustomer, MINOR_REGIONS, type UserRequest } from '../user-request.ts';
import { type FaultContext, type FaultDefinition, intensity, isNeededService, mainOperation } from './fault.ts';

/** One customer's trouble is noticed only where every request of theirs passes. */
const MIN_REQUIRED_SHARE = 0.25;

const CUSTOMER_FAILURE = {
  exception: 'QuotaStateError',
  message: 'quota record of {customer} has revision {n}, expected 0',
};
const REGION_FAILURE = { exception: 'RoutingTableError', message: 'no shard is assigned to region {region}' };

export const tenantErrors: FaultDefinition = {
  suits: (service) => isNeededService(service) && mainOperation(service).requiredShare >= MIN_REQUIRED_SHARE,
  plan(context: FaultContext) {
    const { victim, stream, onsetMs } = context;
    const whom = stream.fork('whom');
    const isRegion = whom.next() < 0.5;
    const attribute = isRegion
      ? { key: 'region', value: MINOR_REGIONS[whom.below(MINOR_REGIONS.length)] ?? '' }
      : { key: 'customer.id', value: busiestCustomer() };
    const isHit = ({ customer, region }: UserRequest) => (isRegion ? region : customer) === attribute.value;
    const failure = isRegion ? REGION_FAILURE : CUSTOMER_FAILURE;
    const impact = { selfFactor: 1, addedMs: 0, failShare: stream.between(0.85, 1), failure };
    return {
      causeType: 'errors',
      hurt: victim.operations,
      preludeMs: onsetMs,
      attribute,
      rollouts: [],
      changes: [],
      onVisit: ({ operation, request, atMs }: Visit) =>
        operation.service === victim && isHit(request) && intensity(context, atMs, 0) > 0 ? impact : undefined,
    };
  },
};
