/**
 * Detection as it would have gone: telemetry comes in through the real receiver in order of time, the clock moves with it, and the
 * scanner looks. Nothing is investigated; what it opened, and how that went on, is what is measured.
 */
import type { DetectionPart } from '../domain/anomaly.ts';
import type { ChangeInput } from '../domain/change.ts';
import type { IncidentCourse } from '../domain/incident-course.ts';
import { createManualClock } from '../platform/clock.ts';
import { createLogger } from '../platform/logger.ts';
import type { Runtime } from '../runtime/open-runtime.ts';
import { type OtlpRequest, replayChanges, replayRequests } from './replay-case.ts';
import { withEmptyRuntime } from './with-empty-runtime.ts';

export interface DetectionRun {
  /** Takes in what comes until then, in the past of the clock that is moved to it, and looks. */
  advance(untilMs: number, telemetry: Iterable<OtlpRequest>, changes?: readonly ChangeInput[]): Promise<void>;
  /** Takes in what comes, and does not look. */
  ingest(telemetry: Iterable<OtlpRequest>, changes?: readonly ChangeInput[]): Promise<void>;
  /** Every incident that was opened, the oldest first; those that turned out to be part of another left out. */
  listCourses(): Promise<IncidentCourse[]>;
  readonly runtime: Runtime;
}

export interface DetectionRunOptions {
  readonly startMs: number;
  readonly without?: ReadonlySet<DetectionPart> | undefined;
  readonly signal: AbortSignal;
}

const MAX_COURSES = 10_000;

/** Opens an empty runtime whose clock stands at `startMs`, and takes it away when `work` has settled. */
export function withDetectionRun<T>(
  { startMs, without, signal }: DetectionRunOptions,
  work: (run: DetectionRun) => Promise<T>,
): Promise<T> {
  const clock = createManualClock(startMs);
  const options = { clock, logger: createLogger('warn'), investigates: false, ...(without ? { without } : {}) };
  return withEmptyRuntime(options, (runtime) => {
    const ingest = async (telemetry: Iterable<OtlpRequest>, changes: readonly ChangeInput[] = []) => {
      await replayRequests(telemetry, runtime.receiveOtlp, signal);
      await replayChanges(changes, runtime.receiveChanges, signal);
    };
    return work({
      runtime,
      ingest,
      advance: async (untilMs, telemetry, changes) => {
        clock.advance(Math.max(0, untilMs - clock.nowMs()));
        await ingest(telemetry, changes);
        await runtime.refreshBaselines(signal);
        await runtime.scanNow(signal);
      },
      listCourses: async () => {
        const courses = await runtime.listCourses(MAX_COURSES, signal);
        return courses
          .filter(({ mergedInto }) => mergedInto === undefined)
          .sort((left, right) => left.openedAtMs - right.openedAtMs);
      },
    });
  });
}
