/** A process of its own around an embedded engine: says where it listens, and closes it when its standard input ends. */
import { silentLogger } from '../platform/logger.ts';
import { openEmbeddedEngine } from './embedded-engine.ts';

const engine = await openEmbeddedEngine({ dataDir: process.argv[2] ?? '', logger: silentLogger });
const { url, user, password } = engine;
process.stdout.write(`${JSON.stringify({ url, user, password })}\n`);
process.stdin.resume().once('end', () => engine.close());
