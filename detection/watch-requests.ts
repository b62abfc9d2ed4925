/**
 * Watches the calls into every service, and those it makes to what tells nothing itself, by ten seconds: failures, durations,
 * traffic. At most one anomaly a service and aspect; the operation that shows it most is named.
 */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { OperationStepReader, OperationStepRow } from '../clickhouse/read-operation-steps.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { TimeWindow } from '../domain/time-window.ts';
import { LimitError } from '../platform/errors.ts';
import { describeRequests, type GroupName } from './detectors/request-anomaly.ts';
import type { CallCounts } from './detectors/request-baseline.ts';
import {
  judgeGroup,
  newRequestGroup,
  type PackedGroup,
  packGroup,
  type RequestGroup,
  STEP_MS,
  takeStep,
  unpackGroup,
} from './detectors/request-group.ts';
import { inShort } from './in-short.ts';
import type { Watch, WatchedStep } from './watch.ts';

export interface RequestWatchParts {
  readonly telemetry: OperationStepReader;
}

const STATE_VERSION = 2;
/** Steps that were judged so long ago are not looked at again. */
const LATE_MS = 120_000;
const MAX_ROWS = 500_000;
const READ_TIMEOUT_MS = 20_000;
/** A group that made no call for so long is forgotten. */
const FORGOTTEN_MS = 3 * 86_400_000;
/** Names of services that are made up as one goes are not watched beyond so many. */
const MAX_GROUPS = 10_000;

interface WatchedGroup extends GroupName {
  readonly group: RequestGroup;
}

export function createRequestWatch({ telemetry }: RequestWatchParts): Watch {
  /** The longest unsaved first. */
  const groups = new Map<string, WatchedGroup>();
  const changed = new Set<string>();
  /** What was counted in the windows that were judged, by their start: another count is late data. */
  const judged = new Map<number, number>();

  async function observe(window: TimeWindow, signal: AbortSignal): Promise<WatchedStep[]> {
    const newestMs = Math.max(window.startMs - STEP_MS, ...judged.keys());
    for (const atMs of judged.keys()) if (atMs < newestMs - LATE_MS) judged.delete(atMs);
    const late = await findLate({ startMs: window.startMs, endMs: newestMs + STEP_MS }, signal);
    const startMs = Math.min(newestMs + STEP_MS, ...late);
    if (startMs >= window.endMs) return [];
    const byTime = Map.groupBy(await readRows(telemetry, { startMs, endMs: window.endMs }, signal), ({ atMs }) => atMs);
    const steps: WatchedStep[] = [];
    for (let atMs = startMs; atMs < window.endMs; atMs += STEP_MS) {
      const isNew = atMs > newestMs;
      if (!isNew && !late.has(atMs)) continue;
      const rows = byTime.get(atMs) ?? [];
      const judge = () => {
        judged.set(
          atMs,
          rows.reduce((sum, { calls }) => sum + calls, 0),
        );
        return judgeStep(atMs, rows, isNew);
      };
      steps.push({ window: { startMs: atMs, endMs: atMs + STEP_MS }, judge });
    }
    return steps;
  }

  /** Of the steps that were judged lately, those of which more has come since. */
  async function findLate(window: TimeWindow, signal: AbortSignal): Promise<Set<number>> {
    const known = [...judged.keys()].filter((atMs) => atMs >= window.startMs);
    if (known.length === 0) return new Set();
    const asked = { startMs: Math.min(...known), endMs: window.endMs };
    const bounds = { maxRows: LATE_MS / STEP_MS + 1, timeoutMs: READ_TIMEOUT_MS, signal };
    const { rows } = await telemetry.countSteps({ window: asked }, bounds);
    const counts = new Map(rows.map(({ atMs, calls }) => [atMs, calls]));
    return new Set(known.filter((atMs) => (counts.get(atMs) ?? 0) !== judged.get(atMs)));
  }

  /** Where nothing at all came nothing was observed: nobody is silent, and nobody is well. */
  function judgeStep(atMs: number, rows: readonly OperationStepRow[], isNew: boolean): Anomaly[] {
    if (rows.length === 0) return [];
    const byGroup = Map.groupBy(rows, (row) => keyOf(nameOf(row)));
    for (const [key, [first]] of byGroup) if (first) meet(key, nameOf(first));
    const found = [...groups].flatMap(([key, watched]) => {
      if (atMs < watched.group.learnedToMs) return [];
      changed.add(key);
      return judgeOne(watched, atMs, callsOf(byGroup.get(key) ?? []), isNew);
    });
    for (const [key, { group }] of groups) if (atMs - group.lastCallsMs > FORGOTTEN_MS) forget(key);
    return foremostOfEachAspect(found);
  }

  /** A peer that tells of its own calls is heard there. */
  function meet(key: string, name: GroupName): void {
    const isHeard = name.peer !== '' && groups.has(keyOf({ service: name.peer, peer: '' }));
    if (groups.has(key) || isHeard || groups.size >= MAX_GROUPS) return;
    groups.set(key, { ...name, group: newRequestGroup() });
    if (name.peer !== '') return;
    for (const [other, { peer }] of groups) if (peer === name.service) forget(other);
  }

  function forget(key: string): void {
    groups.delete(key);
    changed.delete(key);
  }

  return {
    name: 'requests',
    stepMs: STEP_MS,
    latenessMs: 5_000,
    observe,
    save: (limit) => {
      const due = [...groups].filter(([key]) => changed.has(key)).slice(0, limit);
      return due.map(([key, watched]): DetectorState => {
        groups.delete(key);
        groups.set(key, watched);
        changed.delete(key);
        const { group } = watched;
        const state = JSON.stringify({ version: STATE_VERSION, group: packGroup(group) }, inShort);
        return { watch: 'requests', key, learnedToMs: group.learnedToMs, state };
      });
    },
    restore: (states) => {
      for (const { key, state } of states) {
        const { version, group } = JSON.parse(state) as { version: number; group: PackedGroup };
        if (version === STATE_VERSION) groups.set(key, { ...readKey(key), group: unpackGroup(group) });
      }
    },
  };
}

function judgeOne(
  watched: WatchedGroup,
  atMs: number,
  calls: ReadonlyMap<string, CallCounts>,
  isNew: boolean,
): Anomaly[] {
  const { group } = watched;
  takeStep(group, atMs, calls);
  return judgeGroup(group, isNew).map((deviation) => describeRequests(watched, group, deviation, atMs + STEP_MS));
}

/** Too much for one answer is read in halves. */
async function readRows(
  telemetry: OperationStepReader,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<readonly OperationStepRow[]> {
  try {
    const bounds = { maxRows: MAX_ROWS, timeoutMs: READ_TIMEOUT_MS, signal };
    return (await telemetry.readSteps({ window }, bounds)).rows;
  } catch (error) {
    const steps = (window.endMs - window.startMs) / STEP_MS;
    if (!(error instanceof LimitError) || steps < 2) throw error;
    const middleMs = window.startMs + Math.floor(steps / 2) * STEP_MS;
    const before = await readRows(telemetry, { ...window, endMs: middleMs }, signal);
    return [...before, ...(await readRows(telemetry, { ...window, startMs: middleMs }, signal))];
  }
}

function nameOf({ service, kind, operation }: OperationStepRow): GroupName {
  return { service, peer: kind === 'Client' ? operation || '?' : '' };
}

function keyOf({ service, peer }: GroupName): string {
  return JSON.stringify([service, peer]);
}

function readKey(key: string): GroupName {
  const [service = '', peer = ''] = JSON.parse(key) as string[];
  return { service, peer };
}

function callsOf(rows: readonly OperationStepRow[]): Map<string, CallCounts> {
  return new Map(rows.map((row) => [row.operation, row]));
}

/** Calls into a service speak before those it makes, what passes its bar before a whisper, the older before the younger. */
function foremostOfEachAspect(anomalies: readonly Anomaly[]): Anomaly[] {
  const rankOf = ({ deviation, hurtsUsers }: Anomaly) => (deviation >= 1 ? (hurtsUsers ? 2 : 1) : 0);
  const ordered = [...anomalies].sort(
    (left, right) =>
      rankOf(right) - rankOf(left) ||
      (rankOf(left) > 0 ? left.sinceMs - right.sinceMs : 0) ||
      right.deviation - left.deviation,
  );
  const byAspect = Map.groupBy(ordered, ({ service, aspect }) => `${aspect} ${service}`);
  return [...byAspect.values()].flatMap(([first]) => first ?? []);
}
