/** Deploys as people announce them: the change record of a rollout, with version, commit, author and link. */
import type { ChangeInput, ChangeKind } from '../domain/change.ts';
import { formatInstant } from '../domain/time-window.ts';
import { type Commit, innocentCommit } from './commit-change.ts';
import type { Service } from './compile-shop.ts';
import type { TimedChange } from './disturbance.ts';
import type { RandomStream } from './random-stream.ts';

/** 4.7.0 -> 4.8.0 (minor) or 4.7.1 (patch). */
export function nextVersion(version: string, part: 'minor' | 'patch'): string {
  const [major = '0', minor = '0', patch = '0'] = version.split('.');
  return part === 'minor' ? `${major}.${Number(minor) + 1}.0` : `${major}.${minor}.${Number(patch) + 1}`;
}

/** The same kind of change to the same service at another time is another change. */
export function changeIdOf(kind: ChangeKind, service: Service, atMs: number): string {
  return `${kind}-${service.name}-${atMs.toString(36)}`;
}

interface Deploy {
  readonly changeId: string;
  /** The commit's change, then the deploy's. */
  readonly changes: readonly TimedChange[];
}

/** One manner for guilty and innocent deploys alike. @param previous the version that it replaces */
export function deployOf(
  service: Service,
  version: string,
  atMs: number,
  { sha, subject, author, change }: Commit,
  previous = service.version,
): Deploy {
  const changeId = changeIdOf('deploy', service, atMs);
  const input: ChangeInput = {
    id: changeId,
    kind: 'deploy',
    service: service.name,
    at: formatInstant(atMs),
    version,
    summary: `Deploy ${service.name} ${version}: ${subject}`,
    author,
    url: `https://ci.shop.example/${service.name}/${sha.slice(0, 10)}`,
    attributes: { commit: sha, previous_version: previous },
    diff: '',
  };
  return { changeId, changes: [change, { atMs, input }] };
}

/** A deploy of a commit that does no harm. */
export function innocentDeploy(
  service: Service,
  version: string,
  atMs: number,
  stream: RandomStream,
  previous = service.version,
): Deploy {
  return deployOf(service, version, atMs, innocentCommit(service, atMs, stream.fork('commit')), previous);
}
