/** What a watcher of an investigation sees: who does what right now. Pure: progress in, lines out. */

import type { Progress } from '../../domain/investigation.ts';
import { AGENT_NAMES } from '../../domain/signal.ts';
import { formatClock, formatDay } from '../../domain/time-window.ts';
import { cell, hangingText } from './layout.ts';
import { plainText } from './plain-text.ts';
import { countOf, formatDuration, shortenInstants } from './words.ts';

const KIND_WORDS: Readonly<Record<Progress['kind'], string>> = {
  started: 'starts',
  scoped: 'onset',
  'task-posted': 'asks',
  'task-claimed': 'looks',
  'task-done': 'done',
  finding: 'found',
  hypothesis: 'suspects',
  vote: 'votes',
  verdict: 'verdict',
  approval: 'approval',
  action: 'acts',
  finished: 'finished',
  failed: 'FAILED',
};
const ACTOR_COLUMNS = 13;
const WORD_COLUMNS = 8;

interface ActorState {
  readonly last: Progress;
  readonly findings: number;
}

export interface ProgressView {
  readonly startedAtMs: number | undefined;
  readonly lastAtMs: number;
  readonly actors: ReadonlyMap<string, ActorState>;
}

/** The jury is listed before anybody has done anything. */
export const emptyProgressView: ProgressView = { startedAtMs: undefined, lastAtMs: 0, actors: new Map() };

export function addProgress(view: ProgressView, progress: Progress): ProgressView {
  const before = view.actors.get(progress.actor)?.findings ?? 0;
  const state = { last: progress, findings: before + (progress.kind === 'finding' ? 1 : 0) };
  return {
    startedAtMs: view.startedAtMs ?? progress.atMs,
    lastAtMs: progress.atMs,
    actors: new Map(view.actors).set(progress.actor, state),
  };
}

/** A headline and one line for each actor, supervisor first; lines may be longer than a terminal is wide. */
export function progressLines(view: ProgressView, subject: string): string[] {
  const elapsedMs = view.startedAtMs === undefined ? 0 : view.lastAtMs - view.startedAtMs;
  const jury = ['supervisor', ...AGENT_NAMES];
  const others = [...view.actors.keys()].filter((actor) => !jury.includes(actor));
  return [
    `Investigating ${plainText(subject)}: ${formatDuration(elapsedMs)}`,
    ...[...jury, ...others].map((actor) => actorLine(plainText(actor), view.actors.get(actor))),
  ];
}

function actorLine(actor: string, state: ActorState | undefined): string {
  const name = `  ${cell(actor, ACTOR_COLUMNS)}  `;
  if (!state) return `${name}${cell('waits', WORD_COLUMNS)}`;
  const count = state.findings > 0 && state.last.kind !== 'task-done' ? `(${countOf(state.findings, 'finding')}) ` : '';
  return `${name}${cell(KIND_WORDS[state.last.kind], WORD_COLUMNS)}  ${count}${said(state.last)}`;
}

/** One step for a log, wrapped. */
export function progressLogLines(progress: Progress, width: number): string[] {
  const { atMs, actor, kind } = progress;
  const label = `${formatClock(atMs)}  ${cell(plainText(actor), ACTOR_COLUMNS)}  ${cell(KIND_WORDS[kind], WORD_COLUMNS)}`;
  return hangingText(label, said(progress), { indent: 0, labelWidth: label.length, width });
}

function said({ message, atMs }: Progress): string {
  return shortenInstants(plainText(message), formatDay(atMs));
}
