/** The runtime of a real host: the composed one, and the questions that the API answers with a tool. */
import { errorOfCode } from '../../api/api-errors.ts';
import { InputError } from '../../platform/errors.ts';
import { openRuntime, type Runtime } from '../../runtime/open-runtime.ts';
import { getTrace } from '../../tools/read/get-trace.ts';
import { listChanges } from '../../tools/read/list-changes.ts';
import { toolsFor } from '../../tools/registry.ts';
import { runTool, type ToolOutcome } from '../../tools/tool.ts';
import type { HostRuntime } from './host-runtime.ts';

export async function openHostRuntime(...args: Parameters<typeof openRuntime>): Promise<Runtime & HostRuntime> {
  const runtime = await openRuntime(...args);
  return { ...runtime, listChanges: changesOf(runtime), readTrace: traceOf(runtime), runTool: toolsOf(runtime) };
}

function changesOf({ telemetry, clock }: Runtime): HostRuntime['listChanges'] {
  return async ({ window, service, limit }, signal) => {
    const question = { window, limit, ...(service === undefined ? {} : { service }) };
    const outcome = await runTool(listChanges, question, { telemetry, clock, signal });
    return outputOf(outcome);
  };
}

/** People read more at once than a model can. */
const LONG_TRACE = { ...getTrace, limits: { ...getTrace.limits, maxTokens: 250_000 } };

function traceOf({ telemetry, clock }: Runtime): HostRuntime['readTrace'] {
  return async (traceId, signal) => outputOf(await runTool(LONG_TRACE, { traceId }, { telemetry, clock, signal }));
}

/** A person or model that asks one thing has no investigation that would keep the evidence: it is kept by itself. */
function toolsOf({ telemetry, clock, archive }: Runtime): HostRuntime['runTool'] {
  const tools = new Map(toolsFor('mcp').map((tool) => [tool.name, tool]));
  return async (name, input, signal) => {
    const tool = tools.get(name);
    if (!tool) {
      const names = [...tools.keys()].join(', ');
      throw new InputError(`There is no tool ${name}: there are ${names}.`, { code: 'not-found' });
    }
    const outcome = await runTool(tool, input, { telemetry, clock, signal });
    if (!outcome.ok) return outputOf(outcome);
    await archive.save('evidence', [outcome.evidence], signal);
    return { output: outcome.output as Record<string, unknown>, evidence: outcome.evidence };
  };
}

function outputOf<Output>(outcome: ToolOutcome<Output>): Output {
  if (outcome.ok) return outcome.output;
  throw errorOfCode(outcome.error.code, `${outcome.error.message} ${outcome.error.hint}`);
}
