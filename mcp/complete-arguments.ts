/** What an argument may become while a person types it: ids that exist, services that send telemetry. */
import { cleanTelemetry } from '../domain/quote-telemetry.ts';
import { getServiceOverview } from '../tools/read/get-service-overview.ts';
import type { Completer } from './catalogue.ts';

const MOST_INCIDENTS = 100;
const MAX_NAME = 100;
const SERVICES_MS = 24 * 3_600_000;

/** By the beginning of the id, or a part of the title. */
export const completeIncident: Completer = async (typed, { backend, signal }) => {
  const { incidents } = await backend.listIncidents({ limit: MOST_INCIDENTS }, signal);
  const text = typed.toLowerCase();
  return incidents
    .filter(({ incidentId, title }) => incidentId.startsWith(text) || title.toLowerCase().includes(text))
    .map(({ incidentId }) => incidentId);
};

export const completeInvestigation: Completer = async (typed, { backend, signal }) => {
  const { investigations } = await backend.listInvestigations({ limit: MOST_INCIDENTS }, signal);
  return investigations.map(({ investigationId }) => investigationId).filter((id) => id.startsWith(typed));
};

/** Those of the last day, the busiest first. */
export const completeService: Completer = async (typed, { backend, signal, nowMs }) => {
  const window = { startMs: nowMs() - SERVICES_MS, endMs: nowMs() };
  const { output } = await backend.runTool(getServiceOverview.name, { window }, signal);
  const names = getServiceOverview.output.parse(output).services.map(({ service }) => service);
  return names.filter((name) => isPlain(name) && name.toLowerCase().startsWith(typed.toLowerCase()));
};

/** A name that is long or holds what nobody sees is not offered: it came from telemetry, and a person would pick it unseen. */
function isPlain(name: string): boolean {
  return name.length <= MAX_NAME && cleanTelemetry(name).value === name;
}
