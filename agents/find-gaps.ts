/** What an uncertain verdict lacked: asks what the suspects and those around them tell of themselves. */
import type { Evidence } from '../domain/evidence.ts';
import { findInstrumentationGaps } from '../domain/instrumentation-gaps.ts';
import type { Scope, SignalGap } from '../domain/investigation.ts';
import { UnavailableError } from '../platform/errors.ts';
import { getInstrumentation } from '../tools/read/get-instrumentation.ts';
import { runTool, type ToolContext } from '../tools/tool.ts';

/** More than one screen of advice is none. */
const MAX_GAPS = 6;
const MAX_AROUND = 20;
/** Instrumentation does not change by the minute: so much of the window is enough to tell. */
const LOOK_MS = 30 * 60_000;

export interface Uncertainty {
  readonly scope: Scope;
  /** Services of the leading hypotheses, the first first; may be empty. */
  readonly leads: readonly string[];
  readonly changesKnown: boolean;
}

/** Rejects with UnavailableError when the engine is away; no answer in time is no gap. */
export async function findGaps(
  { scope, leads, changesKnown }: Uncertainty,
  context: ToolContext,
): Promise<{ readonly gaps: readonly SignalGap[]; readonly evidence: readonly Evidence[] }> {
  const { window, baseline, calls } = scope;
  const look = { startMs: Math.max(baseline.startMs, window.endMs - LOOK_MS), endMs: window.endMs };
  const asked = await runTool(getInstrumentation, { window: look }, context);
  if (!asked.ok) {
    if (asked.error.code === 'unavailable') throw new UnavailableError(asked.error.message);
    return { gaps: [], evidence: [] };
  }
  const { services, peers } = asked.output;
  const around = calls.flatMap(({ caller, callee }) =>
    leads.includes(caller) ? [callee] : leads.includes(callee) ? [caller] : [],
  );
  const matter = leads.length > 0 ? [...leads, ...around.slice(0, MAX_AROUND)] : services.map(({ service }) => service);
  const facts = { services, peers, changesKnown, evidenceIds: [asked.evidence.evidenceId] };
  return { gaps: findInstrumentationGaps(facts, [...new Set(matter)], MAX_GAPS), evidence: [asked.evidence] };
}
