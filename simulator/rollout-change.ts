/** Deploys as people announce them: the change record of a rollout, with version, author and link. */
import type { ChangeInput, ChangeKind } from '../domain/change.ts';
import { formatInstant } from '../domain/time-window.ts';
import type { Service } from './compile-shop.ts';
import type { RandomStream } from './random-stream.ts';

export const AUTHORS = ['amelie', 'bartosz', 'chidi', 'dana', 'emre', 'freya'];
const REASONS = [
  'dependency updates',
  'read path refactored',
  'validation of incoming requests tightened',
  'new request mapping',
  'less logging',
];

/** 4.7.0 -> 4.8.0 (minor) or 4.7.1 (patch). */
export function nextVersion(version: string, part: 'minor' | 'patch'): string {
  const [major = '0', minor = '0', patch = '0'] = version.split('.');
  return part === 'minor' ? `${major}.${Number(minor) + 1}.0` : `${major}.${minor}.${Number(patch) + 1}`;
}

/** The same kind of change to the same service at another time is another change. */
export function changeIdOf(kind: ChangeKind, service: Service, atMs: number): string {
  return `${kind}-${service.name}-${atMs.toString(36)}`;
}

/** One manner for guilty and innocent deploys alike. */
export function deployOf(
  service: Service,
  version: string,
  atMs: number,
  stream: RandomStream,
): { readonly changeId: string; readonly input: ChangeInput } {
  const changeId = changeIdOf('deploy', service, atMs);
  const commit = stream.id64().slice(0, 10);
  const input: ChangeInput = {
    id: changeId,
    kind: 'deploy',
    service: service.name,
    at: formatInstant(atMs),
    version,
    summary: `Deploy ${service.name} ${version}: ${REASONS[stream.below(REASONS.length)]}`,
    author: AUTHORS[stream.below(AUTHORS.length)] ?? '',
    url: `https://ci.shop.example/${service.name}/${commit}`,
    attributes: { commit, previous_version: service.version },
    diff: '',
  };
  return { changeId, input };
}
