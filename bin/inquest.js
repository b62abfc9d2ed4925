#!/usr/bin/env node
/**
 * The command `inquest`: finds a Node that is new enough, then hands over to the app that the first word names. Plain
 * JavaScript that old versions can read too, so that they say what is missing instead of failing on syntax.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = [22, 18];
/** What a first word starts; every other one is a command for people. */
const APPS = new Map([
  ['serve', 'apps/server/main'],
  ['worker', 'apps/worker/main'],
]);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);

function isNewEnough() {
  const given = process.versions.node.split('.').map(Number);
  return given[0] > NEEDED[0] || (given[0] === NEEDED[0] && given[1] >= NEEDED[1]);
}

/** The same command under the Node that the repository brings along. */
function runAgainWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(args), { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches the child by itself; a signal sent to this process does not.
  const forward = (name) => () => {
    if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, forward(name));
  child.on('error', (error) => fail(`${node} does not run: ${error.message}`, 1));
  child.on('exit', (code, signal) => {
    if (code === null) fail(`ended by ${signal}`, 1);
    else process.exitCode = code;
  });
}

function fail(message, code) {
  console.error(`inquest: ${message}`);
  process.exitCode = code;
}

/** An app's module exports `main(args)`, which resolves with the exit status. */
function runApp(path, appArgs) {
  // Node runs .ts files as they are, but not inside node_modules: an installed package brings dist/.
  const isInstalled = root.split(sep).includes('node_modules');
  const file = isInstalled ? join(root, 'dist', `${path}.js`) : join(root, `${path}.ts`);
  return import(pathToFileURL(file).href)
    .then((app) => app.main(appArgs))
    .then((code) => {
      process.exitCode = code;
    });
}

function main() {
  if (!isNewEnough()) {
    const brought = join(root, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(brought)) runAgainWith(brought);
    else fail(`Node ${NEEDED.join('.')} or newer is needed, this is ${process.version}: https://nodejs.org/`, 1);
    return;
  }
  const own = APPS.get(args[0]);
  const app = own ? runApp(own, args.slice(1)) : runApp('apps/cli/main', args);
  app.catch((error) => fail(error?.stack || String(error), 1));
}

main();
