/** For tests: an incident of a hundred minutes from a few words, with the commits that were running when it began. */
import { type IncidentSigns, type LogKind, readSigns, type SeriesKind } from './incident-signs.ts';
import { type CommitVerdict, judgeCommits } from './judge-commits.ts';

const MINUTE_MS = 60_000;
const END = 100;
/** Minutes: deploys of suspects, and when the trouble shows. */
const DEPLOY = 60;
const ONSET = 70;

export interface IncidentWords {
  /** `service LEVEL text`, written once a minute since the onset. */
  readonly errors?: readonly string[];
  /** Every one of them word for word the same. */
  readonly repeated?: readonly string[];
  /** `service metric`: before and after the onset. */
  readonly metrics?: Readonly<Record<string, readonly [number, number]>>;
  /** `caller>callee` */
  readonly calls?: readonly string[];
  /** `service path`: the body of its diff. The first is deployed at minute 60, each next one a minute later. */
  readonly commits: Readonly<Record<string, string>>;
}

const SEVERITY: Readonly<Record<string, number>> = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 };

export function judgeIncident(words: IncidentWords): CommitVerdict {
  const suspects = Object.entries(words.commits).map(([key, body], index) => {
    const [service = '', path = ''] = key.split(' ');
    const sha = `${index}`.repeat(40).slice(0, 40);
    const atMs = (DEPLOY + index) * MINUTE_MS;
    return {
      commit: { sha, atMs: atMs - MINUTE_MS, summary: 'change', paths: [path], diff: diffOf(path, body), service: '' },
      deploy: { changeId: `deploy-${index}`, service, atMs, sha },
    };
  });
  return judgeCommits({
    commits: suspects.map(({ commit }) => commit),
    deploys: suspects.map(({ deploy }) => deploy),
    incident: signsOf(words),
    calls: (words.calls ?? []).map((call) => {
      const [caller = '', callee = ''] = call.split('>');
      return { caller, callee };
    }),
  });
}

export function diffOf(path: string, body: string): string {
  return `--- a/${path}\n+++ b/${path}\n@@ -10,6 +10,8 @@\n${body}`;
}

function signsOf({ errors = [], repeated = [], metrics = {} }: IncidentWords): IncidentSigns {
  const services = [
    ...new Set([...errors, ...repeated, ...Object.keys(metrics)].map((line) => line.split(' ')[0] ?? '')),
  ];
  const normal = services.map((service) => logKind(`${service} INFO handled request`, 0, 1));
  return readSigns({
    startMs: 0,
    endMs: END * MINUTE_MS,
    stepMs: MINUTE_MS,
    logs: [
      ...normal,
      ...errors.map((line) => logKind(line, ONSET, END - ONSET)),
      ...repeated.map((line) => logKind(line, ONSET, 1)),
    ],
    spans: [],
    series: Object.entries(metrics).map(([key, [before, after]]): SeriesKind => {
      const [service = '', metric = ''] = key.split(' ');
      const points = Array.from({ length: END }, (_, minute): readonly [number, number] => [
        minute * MINUTE_MS,
        (minute < ONSET ? before : after) * (1 + 0.01 * ((minute * 7) % 5)),
      ]);
      return { service, metric, points };
    }),
  });
}

function logKind(line: string, fromMinute: number, distinctBodies: number): LogKind {
  const [service = '', level = '', ...words] = line.split(' ');
  const minutes = Array.from({ length: END - fromMinute }, (_, index) => (fromMinute + index) * MINUTE_MS);
  return {
    service,
    severityNumber: SEVERITY[level] ?? 0,
    template: words.join(' '),
    sample: words.join(' '),
    count: minutes.length,
    distinctBodies,
    firstMs: fromMinute * MINUTE_MS,
    counts: minutes.map((atMs) => [atMs, 1]),
  };
}
