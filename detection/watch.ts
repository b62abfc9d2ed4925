/**
 * What the scanner steps through: a watch reads one kind of signal, a finished window at a time, and judges each window against
 * everything before it. It owns its state; what it needs to go on after a restart it hands out as text.
 */
import type { DetectorState } from '../clickhouse/detector-states.ts';
import type { Anomaly } from '../domain/anomaly.ts';
import type { TimeWindow } from '../domain/time-window.ts';

export interface WatchedStep {
  readonly window: TimeWindow;
  /**
   * Everything that is abnormal in the window, what began earlier and goes on included; then learns the window. Called once, in
   * order of time. Those with a deviation below 1 are only heard where others agree with them (not below 0.5).
   */
  judge(): Anomaly[];
}

export interface Watch {
  readonly name: string;
  /** Its windows begin at multiples of this. */
  readonly stepMs: number;
  /** What belongs to a window has arrived so long after its end; what comes later is late. */
  readonly latenessMs: number;
  /**
   * Reads [startMs, endMs), both multiples of stepMs, at most an hour: its steps in order of time, one a window, also for windows
   * in which nothing was observed. Windows that were judged before are among them only where late data changed them.
   */
  observe(window: TimeWindow, signal: AbortSignal): Promise<WatchedStep[]>;
  /** States that changed since they were saved last, at most `limit`, the longest unsaved first. */
  save(limit: number): DetectorState[];
  /** Before the first observe. A state of another version is left alone: that series begins anew. */
  restore(states: Iterable<DetectorState>): void;
}
