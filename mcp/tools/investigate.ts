/** Starts an investigation, or follows the one of an incident, and waits for its verdict as long as a call may take. */
import { z } from 'zod';
import type { OpenIncidentInput } from '../../api/api-shapes.ts';
import type { TimeWindow } from '../../domain/time-window.ts';
import { InputError } from '../../platform/errors.ts';
import { defineMcpTool, type McpContext } from '../catalogue.ts';
import { investigationShape } from '../summarise-investigation.ts';
import { incidentInput, readSpan, serviceInput } from '../tool-input.ts';
import { answerReport } from './get-investigation.ts';

/** How much time before `since` is searched for normal time when no baseline is given, at least. */
const LOOKBACK_MS = 3_600_000;

const input = z.strictObject({
  incidentId: incidentInput.optional().describe('Follow this one instead of opening a new incident.'),
  service: serviceInput.optional().describe('Where it was noticed.'),
  since: z.string().min(1).max(40).optional().describe('When the trouble began, or a little before.'),
  until: z.string().min(1).max(40).default('now'),
  baselineSince: z.string().min(1).max(40).optional().describe('Known-good time; left out: it is looked for.'),
  baselineUntil: z.string().min(1).max(40).optional(),
  title: z.string().max(300).optional(),
  waitSeconds: z.int().min(0).max(600).default(45).describe('How long to wait for the verdict.'),
});

export const investigate = defineMcpTool({
  name: 'investigate',
  title: 'Investigate',
  description:
    'Finds out why something broke: opens an incident for a service and a span of time (or follows an existing one), lets the agents gather evidence and vote, and answers with the report. Reports progress; what takes longer than waitSeconds goes on, and get_investigation answers later.',
  input,
  output: z.object({ ...investigationShape, nextCursor: z.string().optional() }),
  example: { service: 'checkout', since: '30m' },
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  run: async (given, context) => {
    const { backend, signal, nowMs } = context;
    const opened = given.incidentId === undefined ? readIncident(given, nowMs()) : refuseSpan(given);
    const id = opened ? (await backend.openIncident(opened, signal)).investigationId : (given.incidentId ?? '');
    await waitFor(id, given.waitSeconds, context);
    const investigation = await backend.getInvestigation(id, signal);
    const question = { id: investigation.investigationId, part: 'report' };
    const answer = answerReport(investigation, context, { question, offset: 0 });
    const goesOn = `\n\nIt still runs after ${given.waitSeconds} s. Go on with get_investigation {"id": "${question.id}"}, or investigate {"incidentId": "${question.id}"} to wait again.`;
    return investigation.status === 'running' ? { ...answer, text: `${answer.text ?? ''}${goesOn}` } : answer;
  },
});

/** Resolves when the investigation no longer runs, or when the time is over: it goes on without its watcher. */
async function waitFor(id: string, waitSeconds: number, { backend, signal, report }: McpContext): Promise<void> {
  const time = AbortSignal.timeout(waitSeconds * 1_000);
  try {
    for await (const { actor, message } of backend.watchInvestigation(id, AbortSignal.any([signal, time]))) {
      await report(`${actor}: ${message}`);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!time.aborted) throw error;
  }
}

function refuseSpan({ service, since, baselineSince, title }: z.output<typeof input>): undefined {
  const given = Object.entries({ service, since, baselineSince, title }).find(([, value]) => value !== undefined);
  if (given === undefined) return undefined;
  throw new InputError(`${given[0]}: the incident says where and when to look. Give it, or a span of time.`);
}

function readIncident(given: z.output<typeof input>, nowMs: number): OpenIncidentInput {
  const { service = '', title = '', since, until, baselineSince, baselineUntil } = given;
  if (since === undefined) throw new InputError('since: say when the trouble began, or which incidentId to follow.');
  const trouble = readSpan({ since, until }, nowMs);
  const baselineWindow =
    baselineSince === undefined
      ? undefined
      : readSpan({ since: baselineSince, until: baselineUntil ?? since }, nowMs, 'baseline');
  if (baselineWindow && baselineWindow.endMs > trouble.startMs) {
    throw new InputError(`baselineUntil: normal time must end before the trouble begins, ${since}.`);
  }
  return {
    ...{ service, title, searchWindow: { startMs: searchFrom(trouble, baselineWindow), endMs: trouble.endMs } },
    ...(baselineWindow ? { baselineWindow } : {}),
    earliestOnsetMs: trouble.startMs,
  };
}

function searchFrom(trouble: TimeWindow, baseline: TimeWindow | undefined): number {
  const lookbackMs = Math.max(LOOKBACK_MS, 2 * (trouble.endMs - trouble.startMs));
  return Math.max(0, Math.min(baseline?.startMs ?? trouble.startMs - lookbackMs, trouble.startMs));
}
