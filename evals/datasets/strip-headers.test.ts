import { expect, test } from 'vitest';
import { stripHeaders } from './strip-headers.ts';

const MESSAGES = [
  'cache warmed up',
  'lost 3 packets: retrying',
  'GET /orders 200',
  '[pool 4] drained',
  'no route to host',
  'bye',
];

/** The same messages in layouts that writers of logs use. */
test.each<[layout: string, header: (index: number) => string]>([
  ['nothing', () => ''],
  ['time and level', (index) => `2026-03-04 10:00:0${index},123 ${index % 2 ? 'INFO' : 'WARN'} `],
  ['padded columns', (index) => `2026-03-04 10:00:0${index}, ${index % 2 ? 'Info   ' : 'Warning'}   `],
  ['brackets', (index) => `[Wed Mar 04 10:00:0${index} 2026] [${index % 2 ? 'notice' : 'error'}] `],
  ['logger', (index) => `26/03/04 10:00:0${index} INFO store.Cache${index % 3}: `],
  ['thread with blanks, and logger', (index) => `2026-03-04 10:00:00,${index} INFO [worker ${index} of 9] a.b.C: `],
  ['nested brackets and dashes', (index) => `2026-03-04 10:00:00,${index} - WARN  [Peer[id=${index}]/0:0:Loop@77] - `],
  ['syslog', (index) => `Mar  4 10:00:0${index} host-${index} ${index % 2 ? 'sshd' : 'cron(pam)'}[${200 + index}]: `],
  ['program and dash', (index) => `[03.04 10:00:0${index}] ${index % 2 ? 'tool.exe' : 'tool.exe *64'} - `],
  ['pipes', (index) => `20260304-10:00:0${index}:606|Step_${index % 3}|3000${index}|`],
  ['letter for the level', (index) => `03-04 10:00:0${index}.811  170${index}  2395 ${index % 2 ? 'D' : 'I'} Window: `],
  ['node and state', (index) => `${1346 + index} node-${index} unix.hw state.up 107780474${index} 1 `],
  [
    'repeated node',
    (index) =>
      `- 111783857${index} 2026.03.04 R0${index}-M1 2026-03-04-10.00.00.67${index} R0${index}-M1 RAS KERNEL INFO `,
  ],
  [
    'request context',
    (index) => `api.log.1 2026-03-04 10:00:00.00${index} 257 INFO api.server [req-${index} ab12 - -] `,
  ],
])('takes the messages out of %s', (_, header) => {
  const lines = Array.from({ length: 60 }, (__, index) => {
    const message = MESSAGES[index % MESSAGES.length] ?? '';
    return { message, line: `${header(index % 10)}${message}` };
  });
  expect(stripHeaders(lines.map(({ line }) => line))).toEqual(lines.map(({ message }) => message));
});

test('a line in another layout than the rest loses no more than its columns', () => {
  const lines = Array.from({ length: 50 }, (_, index) => `10:00:${10 + index} INFO a.B: step ${index}`);
  expect(stripHeaders([...lines, '10:01:00 INFO Traceback', '']).slice(-3)).toEqual(['step 49', 'Traceback', '']);
});
