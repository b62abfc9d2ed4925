/** JSON Schemas of the API's zod shapes, in which every shape with a name stands as a reference to its component. */
import { z } from 'zod';
import { anomalySchema } from '../domain/anomaly.ts';
import { anomalyRecordSchema } from '../domain/anomaly-record.ts';
import { approvalSchema, decisionSchema } from '../domain/approval.ts';
import { auditEntrySchema, auditVerificationSchema, unreadableEntrySchema } from '../domain/audit.ts';
import { changeInputSchema, changeSchema } from '../domain/change.ts';
import { evidenceSchema, executedQuerySchema } from '../domain/evidence.ts';
import { falsePositiveRateSchema } from '../domain/false-positive-rate.ts';
import { feedbackSchema } from '../domain/feedback.ts';
import { causeTypeSchema, findingSchema, implicationSchema } from '../domain/finding.ts';
import { hypothesisSchema, talliedHypothesisSchema, tallySchema, voteSchema } from '../domain/hypothesis.ts';
import { incidentSchema } from '../domain/incident.ts';
import {
  actionOutcomeSchema,
  investigationSchema,
  progressSchema,
  scopeSchema,
  signalGapSchema,
  suspectSchema,
  taskSchema,
  verdictSchema,
} from '../domain/investigation.ts';
import { explainedAnomalySchema, lessonSchema, listedRuleSchema } from '../domain/noise-lesson.ts';
import { backTestSchema, noiseRuleSchema, noiseScopeSchema } from '../domain/noise-rule.ts';
import { remediationSchema } from '../domain/remediation.ts';
import { timeWindowSchema } from '../domain/time-window.ts';
import {
  apiErrorSchema,
  decisionInputSchema,
  hostStatusSchema,
  investigationSummarySchema,
  openIncidentInputSchema,
  verificationSchema,
} from './api-shapes.ts';
import { feedbackInputSchema, ruleDecisionInputSchema } from './noise-routes.ts';
import { otlpStatusSchema } from './protocol-routes.ts';

export type Json = Record<string, unknown>;

/** Shapes with a name of their own, in answers and in what is sent. */
const OUTPUTS = {
  ActionOutcome: actionOutcomeSchema,
  Anomaly: anomalySchema,
  AnomalyRecord: anomalyRecordSchema,
  Approval: approvalSchema,
  AuditEntry: auditEntrySchema,
  AuditVerification: auditVerificationSchema,
  BackTest: backTestSchema,
  CauseType: causeTypeSchema,
  Change: changeSchema,
  Decision: decisionSchema,
  Error: apiErrorSchema,
  Evidence: evidenceSchema,
  ExecutedQuery: executedQuerySchema,
  ExplainedAnomaly: explainedAnomalySchema,
  FalsePositiveRate: falsePositiveRateSchema,
  Feedback: feedbackSchema,
  Finding: findingSchema,
  HostStatus: hostStatusSchema,
  Hypothesis: hypothesisSchema,
  Implication: implicationSchema,
  Incident: incidentSchema,
  Investigation: investigationSchema,
  InvestigationSummary: investigationSummarySchema,
  Lesson: lessonSchema,
  ListedRule: listedRuleSchema,
  NoiseRule: noiseRuleSchema,
  NoiseScope: noiseScopeSchema,
  OtlpStatus: otlpStatusSchema,
  Progress: progressSchema,
  Remediation: remediationSchema,
  Scope: scopeSchema,
  SignalGap: signalGapSchema,
  Suspect: suspectSchema,
  Tally: tallySchema,
  TalliedHypothesis: talliedHypothesisSchema,
  Task: taskSchema,
  TimeWindow: timeWindowSchema,
  UnreadableAuditEntry: unreadableEntrySchema,
  Verdict: verdictSchema,
  Verification: verificationSchema,
  Vote: voteSchema,
};
const INPUTS = {
  ChangeInput: changeInputSchema,
  DecisionInput: decisionInputSchema,
  FeedbackInput: feedbackInputSchema,
  OpenIncidentInput: openIncidentInputSchema,
  RuleDecisionInput: ruleDecisionInputSchema,
  TimeWindow: timeWindowSchema,
};

export interface Shapes {
  /** By name. */
  readonly components: Record<string, Json>;
  /** Of what the host answers; it may gain members. */
  output(schema: z.ZodType): Json;
  /** Of what the host is sent. */
  input(schema: z.ZodType): Json;
}

export function createShapes(): Shapes {
  const outputs = createConverter('output', OUTPUTS);
  const inputs = createConverter('input', INPUTS);
  return {
    components: { ...inputs.components, ...outputs.components },
    output: outputs.convert,
    input: inputs.convert,
  };
}

const UNNAMED = 'unnamed';

function createConverter(io: 'input' | 'output', named: Readonly<Record<string, z.ZodType>>) {
  const names = new Map(Object.entries(named).map(([name, schema]) => [schema, name]));
  const uri = (id: string) => `#/components/schemas/${id}`;
  const convertAll = (extra: readonly [z.ZodType, string][] = []) => {
    const registry = z.registry<{ id: string }>();
    for (const [schema, id] of [...names, ...extra]) registry.add(schema, { id });
    return z.toJSONSchema(registry, { io, uri, override: io === 'input' ? simplify : openUp }).schemas;
  };
  return {
    components: Object.fromEntries(Object.entries(convertAll()).map(([name, schema]) => [name, bare(schema)])),
    convert: (schema: z.ZodType): Json => {
      const name = names.get(schema);
      return name === undefined ? bare(convertAll([[schema, UNNAMED]])[UNNAMED] ?? {}) : { $ref: uri(name) };
    },
  };
}

function bare({ $schema: _, $id: __, ...schema }: Json): Json {
  return schema;
}

/** Bounds that only say "a safe integer" are left out. */
function simplify({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum'];
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum'];
}

function openUp(context: { jsonSchema: Json }): void {
  simplify(context);
  if (context.jsonSchema['additionalProperties'] === false) delete context.jsonSchema['additionalProperties'];
}
