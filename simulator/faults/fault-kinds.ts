/** All kinds of fault by name. A new kind is one file beside this one and one line here. */
import { badDeploy } from './bad-deploy.ts';
import { cpuSaturation } from './cpu-saturation.ts';
import { errorBurst } from './error-burst.ts';
import type { FaultDefinition } from './fault.ts';
import { slowDependency } from './slow-dependency.ts';

export const FAULTS = {
  'slow-dependency': slowDependency,
  'error-burst': errorBurst,
  'cpu-saturation': cpuSaturation,
  'bad-deploy': badDeploy,
} as const satisfies Record<string, FaultDefinition>;

export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS = Object.keys(FAULTS) as [FaultKind, ...FaultKind[]];
