/** The truth about a simulation as a file beside its data: what was planned, and what the twin run shows to have come of it. */
import { z } from 'zod';
import { changeKindSchema } from '../domain/change.ts';
import { causeTypeSchema } from '../domain/finding.ts';
import { formatInstant } from '../domain/time-window.ts';
import { FAULT_KINDS } from './faults/fault-kinds.ts';
import { describeTruth } from './ground-truth.ts';
import { measureFirstEffect, type WindowFigures } from './measure-first-effect.ts';
import type { SimulationOptions } from './simulation-options.ts';

const instant = z.iso.datetime();
const service = z.string().min(1);
const figures = z.strictObject({
  requests: z.int().nonnegative(),
  failures: z.int().nonnegative(),
  p95Ms: z.number().nonnegative(),
});

export const truthDocumentSchema = z.strictObject({
  format: z.literal('inquest-truth/1'),
  seed: z.int().nonnegative(),
  requestsPerSecond: z.number().positive(),
  fault: z.enum(FAULT_KINDS),
  causeType: causeTypeSchema,
  /** The root cause: a service, or a dependency as `peer.service` names it. */
  service,
  edge: z.strictObject({ from: service, to: service }).optional(),
  /** Only requests that carry this were hit. */
  attribute: z.strictObject({ key: z.string(), value: z.string() }).optional(),
  /** The change that did it, and the commit it put in place. */
  changeId: z.string().optional(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
  /** When telemetry may first differ: a rollout, a leak that nobody feels yet. */
  prelude: instant,
  /** When the first user may be hurt. */
  onset: instant,
  /** The first window in which a service materially leaves the twin run (measure-first-effect.ts); null: none did. */
  firstObservableEffect: z
    .strictObject({
      start: instant,
      end: instant,
      service,
      by: z.enum(['failures', 'p95']),
      withFault: figures,
      without: figures,
    })
    .nullable(),
  /** The deepest service of that window. */
  firstFailingService: service.nullable(),
  /** Services that left the twin run while it was watched, without the root cause. */
  blastRadius: z.array(service),
  /** Services that own what is hurt or wait for it, by the topology. */
  structuralBlastRadius: z.array(service),
  watched: z.strictObject({ start: instant, end: instant }),
  /** Innocent changes near the onset. */
  decoys: z.array(z.strictObject({ changeId: z.string(), kind: changeKindSchema, service: z.string(), at: instant })),
});
export type TruthDocument = z.infer<typeof truthDocumentSchema>;

/** Runs the stretch around the fault twice, with and without it. Throws InputError when the options have no fault. */
export function writeTruth(options: SimulationOptions): TruthDocument {
  const truth = describeTruth(options);
  const { first, affected, startMs, endMs } = measureFirstEffect(options);
  const { edge, attribute, changeId, commit } = truth;
  return {
    format: 'inquest-truth/1',
    seed: options.seed,
    requestsPerSecond: options.requestsPerSecond,
    fault: truth.faultKind,
    causeType: truth.causeType,
    service: truth.service,
    ...(edge ? { edge } : {}),
    ...(attribute ? { attribute } : {}),
    ...(changeId === undefined ? {} : { changeId }),
    ...(commit === undefined ? {} : { commit }),
    prelude: formatInstant(truth.preludeMs),
    onset: formatInstant(truth.onsetMs),
    firstObservableEffect: first
      ? {
          start: formatInstant(first.startMs),
          end: formatInstant(first.endMs),
          service: first.service,
          by: first.by,
          withFault: rounded(first.withFault),
          without: rounded(first.without),
        }
      : null,
    firstFailingService: first?.service ?? null,
    blastRadius: affected.filter((each) => each !== truth.service),
    structuralBlastRadius: [...truth.blastRadius],
    watched: { start: formatInstant(startMs), end: formatInstant(endMs) },
    decoys: truth.decoys.map(({ atMs, ...decoy }) => ({ ...decoy, at: formatInstant(atMs) })),
  };
}

function rounded(measured: WindowFigures): WindowFigures {
  return { ...measured, p95Ms: Math.round(measured.p95Ms * 10) / 10 };
}
