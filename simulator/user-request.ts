/** Who asks for what: users and their customers (Zipf-distributed, so that few ask much), regions and tiers, and arrivals. */
import { InvariantError } from '../platform/errors.ts';
import type { Operation, Shop } from './compile-shop.ts';
import { type KeyValue, textAttribute } from './otlp-json.ts';
import { RandomStream } from './random-stream.ts';

export interface UserRequest {
  readonly entry: Operation;
  readonly atUs: number;
  readonly traceId: string;
  readonly stream: RandomStream;
  readonly customer: string;
  readonly region: string;
  readonly tier: string;
  readonly user: string;
  readonly ip: string;
  /** Carried along as baggage: on every server span of the trace. */
  readonly baggage: readonly KeyValue[];
}

const CUSTOMERS = 3_000;
const REGIONS = ['eu-west', 'eu-west', 'eu-west', 'eu-north', 'us-east', 'us-east', 'us-west', 'ap-south', 'sa-east'];
/** Each has a share of the users that hurts, but far from all of them. */
export const MINOR_REGIONS = ['us-east', 'eu-north', 'ap-south', 'sa-east'];
const TIERS = ['free', 'free', 'free', 'free', 'standard', 'standard', 'standard', 'premium', 'premium', 'enterprise'];

interface Customer {
  readonly id: string;
  readonly region: string;
  readonly tier: string;
  readonly attributes: readonly KeyValue[];
}

/** The first customers ask most and pay most. */
function createCustomers(): Customer[] {
  const root = RandomStream.fromSeed(CUSTOMERS);
  return Array.from({ length: CUSTOMERS }, (_, rank) => {
    const stream = root.fork(rank);
    const id = `cust-${String(1 + ((rank * 1_471) % CUSTOMERS)).padStart(5, '0')}`;
    const region = REGIONS[stream.below(REGIONS.length)] ?? '';
    const tier = rank < 12 ? 'enterprise' : (TIERS[stream.below(TIERS.length)] ?? '');
    const attributes = [
      textAttribute('customer.id', id),
      textAttribute('region', region),
      textAttribute('tenant.tier', tier),
    ];
    return { id, region, tier, attributes };
  });
}

const ALL_CUSTOMERS = createCustomers();

/** Who asks most. */
export function busiestCustomer(): string {
  return ALL_CUSTOMERS[0]?.id ?? '';
}

/** Zipf with exponent 1 by its continuous inverse. */
function pickCustomer(draw: number): Customer | undefined {
  return ALL_CUSTOMERS[Math.min(CUSTOMERS - 1, Math.floor(CUSTOMERS ** draw) - 1)];
}

/**
 * The requests of one second of the clock, by arrival; the same whatever window they are asked in.
 * @param entries what they ask for
 */
export function* arrivalsOf(
  entries: Shop['entries'],
  root: RandomStream,
  secondMs: number,
  meanCount: number,
): Generator<UserRequest> {
  const second = root.fork('arrivals').fork(secondMs / 1000);
  const count = second.poisson(meanCount);
  const offsets = Array.from({ length: count }, () => second.below(1_000_000)).sort((left, right) => left - right);
  for (const [index, offsetUs] of offsets.entries()) {
    yield createRequest(entries, second.fork(index), secondMs * 1000 + offsetUs);
  }
}

function createRequest(entries: Shop['entries'], stream: RandomStream, atUs: number): UserRequest {
  const draw = stream.next();
  const entry = (entries.find(({ upTo }) => draw < upTo) ?? entries[0])?.operation;
  const customer = pickCustomer(stream.next()) ?? ALL_CUSTOMERS[0];
  if (!entry || !customer) throw new InvariantError('The shop has no entry or no customer.');
  return {
    entry,
    atUs,
    traceId: stream.id128(),
    stream,
    customer: customer.id,
    region: customer.region,
    tier: customer.tier,
    user: `${customer.id.replace('cust', 'user')}-${stream.below(400)}`,
    ip: `203.0.${stream.below(114)}.${stream.below(256)}`,
    baggage: customer.attributes,
  };
}
