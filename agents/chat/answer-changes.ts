/** Answers questions about what people changed, and which versions run. */
import { formatSpan } from '../../domain/quantity.ts';
import { formatMinute } from '../../domain/time-window.ts';
import { getServiceOverview } from '../../tools/read/get-service-overview.ts';
import { listChanges } from '../../tools/read/list-changes.ts';
import { type Asking, listOf, placeOf, type Said, tableOf } from './asking.ts';

const LISTED = 20;
/** So long before the end of a window a version counts as running. */
const RUNNING_MS = 5 * 60_000;

export async function answerChanges(asking: Asking): Promise<Said> {
  const { question, run, nowMs } = asking;
  const { kinds } = question;
  const [service, ...others] = question.services;
  const { changes, totalRows } = await run(listChanges, {
    window: question.time.window,
    limit: 200,
    diffCharacters: 0,
    ...(service !== undefined && others.length === 0 ? { service } : {}),
    ...(kinds.length > 0 ? { kinds: [...kinds] } : {}),
  });
  // What is bound to no service may concern any.
  const wanted = changes.filter(
    (change) => question.services.length === 0 || change.service === '' || question.services.includes(change.service),
  );
  const what =
    kinds.length > 0 ? listOf(kinds.map((kind) => (kind === 'config' ? 'config changes' : `${kind}s`))) : 'changes';
  const place = question.services.length > 0 ? ` of ${placeOf(question)}` : '';
  const span = formatSpan(question.time.window, nowMs);
  const [newest] = wanted;
  if (!newest) return { kind: 'empty', text: `No ${what}${place} known, ${span} UTC.` };
  const rows = wanted.map((change) => [
    change.atMs,
    change.kind,
    change.service || '-',
    change.version || '-',
    change.summary,
  ]);
  const columns = [
    { heading: 'time (UTC)', quantity: 'instant' as const },
    ...['kind', 'service', 'version', 'summary'].map((heading) => ({ heading, quantity: 'text' as const })),
  ];
  const count = question.services.length > 0 ? wanted.length : totalRows;
  const text = `${count} ${count === 1 ? what.replace(/s$/, '') : what}${place}, the newest at ${formatMinute(newest.atMs)} UTC: ${newest.summary}.`;
  return {
    kind: 'answered',
    text,
    tables: [tableOf(columns, rows, { limit: question.limit ?? LISTED, totalRows: count })],
  };
}

export async function answerVersions(asking: Asking): Promise<Said> {
  const { question, run } = asking;
  const { endMs } = question.time.window;
  const window = { startMs: Math.max(0, endMs - RUNNING_MS), endMs };
  const { services } = await run(getServiceOverview, { window });
  const wanted = services.filter(
    ({ service }) => question.services.length === 0 || question.services.includes(service),
  );
  const known = wanted.filter(({ versions }) => versions.length > 0);
  if (known.length === 0) {
    return {
      kind: 'empty',
      text: `No telemetry of ${placeOf(question)} in the last 5 minutes names a service.version.`,
      window,
    };
  }
  const text = known
    .slice(0, 3)
    .map(({ service, versions }) => `${service} runs ${listOf(versions)}`)
    .join('; ');
  const columns = ['service', 'versions', 'pods'].map((heading) => ({ heading, quantity: 'text' as const }));
  const rows = known.map(({ service, versions, pods }) => [service, versions.join(', '), String(pods)]);
  return {
    kind: 'answered',
    text: `${text}.`,
    tables: [tableOf(columns, rows, { limit: question.limit ?? LISTED })],
    window,
  };
}
