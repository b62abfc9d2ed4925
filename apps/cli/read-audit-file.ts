/** An exported audit log, checked line by line: needs neither a host nor the memory to hold it. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  type AuditProblem,
  type AuditRecord,
  type AuditVerification,
  auditRecordSchema,
  createChainReader,
} from '../../domain/audit.ts';
import { errorMessage, InputError } from '../../platform/errors.ts';

const MAX_PROBLEMS = 20;

/** Throws InputError when the file cannot be read; what is wrong in it is in the answer. */
export async function readAuditFile(path: string, signal: AbortSignal): Promise<AuditVerification> {
  const chain = createChainReader();
  const problems: AuditProblem[] = [];
  let entries = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path, { signal }), crlfDelay: Infinity })) {
      if (line.trim() === '') continue;
      entries += 1;
      const problem = chain.read(parseLine(line, chain.last().sequence + 1));
      if (problem && problems.length < MAX_PROBLEMS) problems.push(problem);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new InputError(`${path} cannot be read: ${errorMessage(error)}.`, { cause: error });
  }
  if (entries === 0) problems.push({ problem: 'the file has no entries' });
  const { sequence, hash } = chain.last();
  return { whole: problems.length === 0, entries, last: { sequence, hash }, problems };
}

function parseLine(line: string, sequence: number): AuditRecord {
  try {
    const parsed = auditRecordSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : { sequence, unreadable: 'its line is no audit entry' };
  } catch {
    return { sequence, unreadable: 'its line is not JSON: is the file cut off?' };
  }
}
