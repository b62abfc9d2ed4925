/** The runtime of a real host: the composed one, and the questions that the API answers with a tool. */
import { errorOfCode } from '../../api/api-errors.ts';
import { openRuntime, type Runtime } from '../../runtime/open-runtime.ts';
import { listChanges } from '../../tools/read/list-changes.ts';
import { runTool } from '../../tools/tool.ts';
import type { HostRuntime } from './host-runtime.ts';

export async function openHostRuntime(...args: Parameters<typeof openRuntime>): Promise<Runtime & HostRuntime> {
  const runtime = await openRuntime(...args);
  return { ...runtime, listChanges: changesOf(runtime) };
}

function changesOf({ telemetry, clock }: Runtime): HostRuntime['listChanges'] {
  return async ({ window, service, limit }, signal) => {
    const question = { window, limit, ...(service === undefined ? {} : { service }) };
    const outcome = await runTool(listChanges, question, { telemetry, clock, signal });
    if (outcome.ok) return outcome.output;
    throw errorOfCode(outcome.error.code, `${outcome.error.message} ${outcome.error.hint}`);
  };
}
