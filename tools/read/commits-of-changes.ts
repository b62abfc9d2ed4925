/** Recorded changes as the judge of commits reads them: what has a diff, and which deploy put which commit in place. */
import type { InferredDeployRow, RecordedChangeRow } from '../../clickhouse/read-changes.ts';
import type { CommitRecord, DeployRecord } from '../../domain/diff/carriers.ts';

type Attributes = Readonly<Record<string, string>>;

/** As OpenTelemetry names it, and as people do. */
const COMMIT_KEYS = ['vcs.ref.head.revision', 'commit_sha', 'commit', 'sha', 'git.commit.sha', 'revision'];
const FILE_KEYS = ['files_changed', 'files', 'paths', 'vcs.files'];
const SHA = /\b[0-9a-f]{7,64}\b/i;
const LONGEST_LIST = 200;

/** The commit that a change carried, by its attributes, or by its own id where that is one; empty when nobody says. */
export function commitOf({
  changeId,
  kind,
  attributes,
}: Pick<RecordedChangeRow, 'changeId' | 'kind' | 'attributes'>): string {
  const named = COMMIT_KEYS.map((key) => attributes[key] ?? '').find((value) => SHA.test(value));
  if (named) return SHA.exec(named)?.[0] ?? '';
  if (kind !== 'commit') return '';
  return /\b[0-9a-f]{40}\b/i.exec(changeId)?.[0] ?? changeId;
}

function pathsOf(attributes: Attributes): string[] {
  const list = FILE_KEYS.map((key) => attributes[key] ?? '').find((value) => value !== '') ?? '';
  return list
    .replace(/[[\]"]/g, '')
    .split(/[\n,;]+|\s+/)
    .filter((path) => path !== '')
    .slice(0, LONGEST_LIST);
}

/** Deploys, recorded and seen, and every change that shows its diff; one that is no commit is in effect from its own time on. */
export function commitsOfChanges(
  recorded: readonly RecordedChangeRow[],
  inferred: readonly InferredDeployRow[],
): { readonly commits: readonly CommitRecord[]; readonly deploys: readonly DeployRecord[] } {
  const commits = recorded
    .filter(({ diff }) => diff !== '')
    .map((row): CommitRecord => {
      const { changeId, service, atMs, summary, diff, attributes } = row;
      return { sha: commitOf(row) || changeId, atMs, summary, paths: pathsOf(attributes), diff, service };
    });
  const deploys = recorded
    // A flag or a configuration change puts the commit that it names into effect, as a deploy does.
    .filter((row) => row.kind === 'deploy' || (row.kind !== 'commit' && (row.diff !== '' || commitOf(row) !== '')))
    .map((row): DeployRecord => {
      const { changeId, service, atMs, kind } = row;
      return { changeId, service, atMs, sha: commitOf(row) || (kind === 'deploy' && row.diff === '' ? '' : changeId) };
    });
  return { commits, deploys: [...deploys, ...unrecorded(deploys, inferred)] };
}

const SAME_DEPLOY_MS = 600_000;

/** A new version that nobody announced is a deploy of something all the same. */
function unrecorded(deploys: readonly DeployRecord[], inferred: readonly InferredDeployRow[]): DeployRecord[] {
  return inferred
    .filter(
      ({ service, atMs }) =>
        !deploys.some((deploy) => deploy.service === service && Math.abs(deploy.atMs - atMs) <= SAME_DEPLOY_MS),
    )
    .map(({ service, version, atMs }) => ({
      changeId: `${service}@${version}`.slice(0, 128),
      service,
      atMs,
      sha: SHA.test(version) && !version.includes('.') ? (SHA.exec(version)?.[0] ?? '') : '',
    }));
}
