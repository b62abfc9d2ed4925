import { execFileSync, spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { writeCompletion } from './completion.ts';

function createProgram(): Command {
  const program = new Command('inquest').option('--json').option('--data-dir <path>');
  program.command('show').description("an incident's report").option('--full');
  const audit = program.command('audit').description('the record');
  audit.command('verify').option('--file <path>');
  return program;
}

/** What bash offers for a line whose last word is being typed. */
function completeInBash(...words: string[]): string[] {
  const script = `${writeCompletion('bash', createProgram())}
COMP_WORDS=(inquest "$@"); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _inquest; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}

test.each([
  [[''], ['serve', 'worker', 'show', 'audit', '--json', '--data-dir', '--help']],
  [['s'], ['serve', 'show']],
  [['show', '--f'], ['--full']],
  [
    ['--json', 'audit', ''],
    ['verify', '--help'],
  ],
  [['audit', 'verify', '--f'], ['--file']],
  [
    ['show', 'inc_1', '--'],
    ['--full', '--help'],
  ],
])('bash completes %j', (words, offered) => {
  expect(completeInBash(...words)).toEqual(offered);
});

test('fish and zsh get every command; a quote in a description ends no string', () => {
  const fish = writeCompletion('fish', createProgram());
  expect(fish).toContain("-a show -d 'an incident’s report'");
  expect(fish).toMatch(/__fish_seen_subcommand_from show' -l full/);
  const zsh = writeCompletion('zsh', createProgram());
  expect(zsh.split('\n')[0]).toMatch(/bashcompinit/);
  expect(spawnSync('bash', ['-n'], { input: zsh.replace(/^.*\n/, '') }).status).toBe(0);
});
