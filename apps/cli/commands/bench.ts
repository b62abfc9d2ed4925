/** `inquest bench ...`: measures what Inquest promises, on this machine. Each drill and benchmark is a file of its own beside this. */
import type { Command } from 'commander';
import type { RunWork } from '../cli.ts';
import { addBenchClaimsCommand } from './bench-claims.ts';
import { addBenchClientsCommand } from './bench-clients.ts';
import { addBenchCrashesCommand } from './bench-crashes.ts';
import { addBenchDetectionCommand } from './bench-detection.ts';
import { addBenchKafkaCommand } from './bench-kafka.ts';
import { addBenchOverloadCommand } from './bench-overload.ts';
import { addBenchQueryCommand } from './bench-query.ts';

export function addBenchCommand(program: Command, run: RunWork): void {
  const bench = program.command('bench').description('measure what Inquest promises, on this machine');
  addBenchClaimsCommand(bench, run);
  addBenchClientsCommand(bench, run);
  addBenchCrashesCommand(bench, run);
  addBenchDetectionCommand(bench, run);
  addBenchKafkaCommand(bench, run);
  addBenchOverloadCommand(bench, run);
  addBenchQueryCommand(bench, run);
}
