/** All kinds of fault by name. A new kind is one file beside this one and one line here. */
import { badDeploy } from './bad-deploy.ts';
import { cacheStampede } from './cache-stampede.ts';
import { cpuSaturation } from './cpu-saturation.ts';
import { dnsFailure } from './dns-failure.ts';
import { errorBurst } from './error-burst.ts';
import { externalOutage } from './external-outage.ts';
import type { FaultDefinition } from './fault.ts';
import { flagFlip } from './flag-flip.ts';
import { memoryLeak } from './memory-leak.ts';
import { networkDelay } from './network-delay.ts';
import { poolExhaustion } from './pool-exhaustion.ts';
import { slowDependency } from './slow-dependency.ts';
import { tenantErrors } from './tenant-errors.ts';
import { trafficSurge } from './traffic-surge.ts';

export const FAULTS = {
  'slow-dependency': slowDependency,
  'error-burst': errorBurst,
  'cpu-saturation': cpuSaturation,
  'bad-deploy': badDeploy,
  'flag-flip': flagFlip,
  'memory-leak': memoryLeak,
  'pool-exhaustion': poolExhaustion,
  'cache-stampede': cacheStampede,
  'network-delay': networkDelay,
  'dns-failure': dnsFailure,
  'external-outage': externalOutage,
  'traffic-surge': trafficSurge,
  'tenant-errors': tenantErrors,
} as const satisfies Record<string, FaultDefinition>;

export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS = Object.keys(FAULTS) as [FaultKind, ...FaultKind[]];
