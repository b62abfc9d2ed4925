/** `inquest token NAME --role ROLE`: a token for somebody, and the line that makes a host know it. Asks no host, writes no file. */
import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { identitySchema, type Role, roleSchema, tokenDigest } from '../../../domain/identity.ts';
import { InputError } from '../../../platform/errors.ts';
import { pageOf, type RunWork } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { paragraph } from '../page.ts';

const TOKEN_BYTES = 32;

export function addTokenCommand(program: Command, run: RunWork): void {
  program
    .command('token')
    .description('make a token for a person or a machine, and its line for the file of identities')
    .argument('<name>', 'who it is for: letters, digits and . _ @ -')
    .requiredOption('--role <role>', roleSchema.options.join(', '), readRole)
    .addHelpText(
      'after',
      `
Roles: sender sends telemetry and changes; viewer reads; member, lead and manager read, send,
open incidents and decide on actions of low, medium and high risk, each also on those below.

INQUEST_IDENTITIES names the file, a JSON array of such lines; a host reads it at start. It
holds digests, so it gives nobody access. Until there is one, whoever can read the data
directory has every role; from then on decisions are taken with a token of one's own:

  INQUEST_TOKEN=inq_... inquest approve inc_06bq3s9x0e2k7m`,
    )
    .action((name: string, { role }: { role: Role }) =>
      run(async (cli) => {
        const token = `inq_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
        const parsed = identitySchema.safeParse({ name, role, tokenSha256: tokenDigest(token) });
        if (!parsed.success) {
          throw new InputError(`"${name}" is no name for a token: ${parsed.error.issues[0]?.message ?? 'malformed'}.`);
        }
        const page = pageOf(cli);
        cli.terminal.printJson({ token, identity: parsed.data });
        // The two lines to copy are printed as they are, however narrow the terminal.
        cli.terminal.print(
          [
            ...paragraph(page, `The token of ${name} (${role}), shown this once:`),
            page.palette.command(token),
            ...paragraph(page, 'Their line in the file of identities:'),
            JSON.stringify(parsed.data),
          ].join('\n'),
        );
        return EXIT.ok;
      }),
    );
}

function readRole(text: string): Role {
  const parsed = roleSchema.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`One of ${roleSchema.options.join(', ')}.`);
  return parsed.data;
}
