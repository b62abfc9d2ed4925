/** The answer to a simulation: what was broken, where, since when, whom it hurt, and which changes were innocent. */
import type { ChangeKind } from '../domain/change.ts';
import type { CauseType } from '../domain/finding.ts';
import { InputError } from '../platform/errors.ts';
import { blastRadiusOf } from './compile-shop.ts';
import type { FaultKind } from './faults/fault-kinds.ts';
import { planSimulation } from './plan-simulation.ts';
import type { SimulationOptions } from './simulation-options.ts';

export interface GroundTruth {
  readonly faultKind: FaultKind;
  readonly onsetMs: number;
  /** When telemetry first differs from that of the same seed without the fault: a rollout's start, else the onset. */
  readonly preludeMs: number;
  /** From the onset until the fault shows all that it does. */
  readonly developsMs: number;
  /** The root cause: a service, or a dependency as `peer.service` and its own metrics name it. */
  readonly service: string;
  readonly causeType: CauseType;
  readonly edge?: { readonly from: string; readonly to: string };
  /** Only requests that carry this were hit. */
  readonly attribute?: { readonly key: string; readonly value: string };
  /** The change that did it, and the commit that it put in place. */
  readonly changeId?: string;
  readonly commit?: string;
  /** Services that are hurt by what broke or wait for it, directly or through others; sorted. */
  readonly blastRadius: readonly string[];
  readonly decoys: readonly {
    readonly changeId: string;
    readonly kind: ChangeKind;
    readonly service: string;
    readonly atMs: number;
  }[];
}

/** Throws InputError when the options are not valid or have no fault. */
export function describeTruth(options: SimulationOptions): GroundTruth {
  const { fault, decoys, shop, options: read } = planSimulation(options);
  const commit = fault?.changes.find(({ input }) => input.id === fault.changeId)?.input.attributes['commit'];
  if (!fault || !read.fault) throw new InputError('A simulation without a fault has no truth to tell: set fault.');
  return {
    faultKind: read.fault.kind,
    onsetMs: read.fault.onsetMs,
    preludeMs: fault.preludeMs,
    developsMs: fault.developsMs ?? 0,
    service: fault.victim,
    causeType: fault.causeType,
    ...(fault.edge ? { edge: fault.edge } : {}),
    ...(fault.attribute ? { attribute: fault.attribute } : {}),
    ...(fault.changeId ? { changeId: fault.changeId } : {}),
    ...(commit === undefined ? {} : { commit }),
    blastRadius: blastRadiusOf(shop, fault.hurt, fault.victim),
    decoys: (decoys?.changes ?? []).map(({ atMs, input }) => ({
      changeId: input.id ?? '',
      kind: input.kind,
      service: input.service,
      atMs,
    })),
  };
}
