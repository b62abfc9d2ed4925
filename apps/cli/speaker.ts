/** Whose word it is: the user of this process unless said otherwise, or whoever the configured token belongs to. */
import { userInfo } from 'node:os';
import { InputError } from '../../platform/errors.ts';
import type { Cli } from './cli.ts';

export const AS_OPTION = [
  '--as <name>',
  "who you are, where the host knows you by the data directory's token only",
] as const;

/** Throws InputError where the token says it already. */
export function speakerOf({ config }: Cli, as: string | undefined): string {
  if (as !== undefined && config.access.token) throw new InputError('Your token says who you are: leave --as out.');
  return as ?? userInfo().username;
}
