/** Incidents, investigations and reports as resources that a person can attach to a conversation. */
import { writeQuotation } from '../domain/quote-telemetry.ts';
import type { ContentBlock, McpContext, McpResources, ResourceContent, ResourceEntry } from './catalogue.ts';
import { completeIncident, completeInvestigation } from './complete-arguments.ts';
import { fitRows, fitText } from './fit-answer.ts';
import { summariseInvestigation } from './summarise-investigation.ts';
import { isoOf } from './tool-input.ts';
import { shapeIncident } from './tools/list-incidents.ts';
import { quoted, writeReport } from './write-report.ts';

const LISTED_INCIDENTS = 15;
const MAX_TITLE = 100;
const JSON_TYPE = 'application/json';
const MARKDOWN_TYPE = 'text/markdown';
const URI = /^inquest:\/\/(incidents|investigations)\/([\w-]{1,128})(\/report)?$/;

export const RESOURCES: McpResources = {
  list: async (cursor, { backend, signal }) => {
    const page = await backend.listIncidents({ limit: LISTED_INCIDENTS, ...(cursor ? { cursor } : {}) }, signal);
    const resources = page.incidents.flatMap(({ incidentId, investigationId, title, status, openedAtMs }) => {
      const name = quoted(title || 'Incident', MAX_TITLE);
      const opened = `Opened ${isoOf(openedAtMs)}, ${status}.`;
      return [
        entry(`incidents/${incidentId}`, incidentId, `Incident ${name}`, opened, JSON_TYPE),
        ...(investigationId === undefined
          ? []
          : [entry(reportPath(investigationId), investigationId, `Report on ${name}`, opened, MARKDOWN_TYPE)]),
      ];
    });
    return { resources, nextCursor: page.nextCursor };
  },
  templates: [
    {
      uriTemplate: 'inquest://incidents/{id}',
      name: 'incident',
      title: 'Incident',
      description: 'One incident, and the anomalies it was made of.',
      mimeType: JSON_TYPE,
      complete: completeIncident,
    },
    {
      uriTemplate: 'inquest://investigations/{id}',
      name: 'investigation',
      title: 'Investigation',
      description: 'Status, verdict, suspects and proposal, as facts.',
      mimeType: JSON_TYPE,
      complete: completeInvestigation,
    },
    {
      uriTemplate: 'inquest://investigations/{id}/report',
      name: 'report',
      title: 'Report',
      description: 'What an investigation found, for reading.',
      mimeType: MARKDOWN_TYPE,
      complete: completeInvestigation,
    },
  ],
  read: async (uri, context) => {
    const [, kind, id, report] = URI.exec(uri) ?? [];
    if (id === undefined) return undefined;
    if (kind === 'incidents') return report === undefined ? readIncident(uri, id, context) : undefined;
    return report === undefined ? readFacts(uri, id, context) : readReport(id, context);
  },
};

function entry(path: string, name: string, title: string, description: string, mimeType: string): ResourceEntry {
  return { uri: `inquest://${path}`, name, title, description, mimeType };
}

const reportPath = (investigationId: string): string => `investigations/${investigationId}/report`;

async function readIncident(uri: string, id: string, { backend, signal }: McpContext): Promise<ResourceContent> {
  const incident = await backend.getIncident(id, signal);
  const facts = shapeIncident(incident);
  const { data } = fitRows([facts, ...incident.anomalies], ({ rows: [about, ...anomalies], left }) => ({
    data: { telemetry: { ...(about as object), anomalies }, ...(left > 0 ? { note: `${left} more anomalies` } : {}) },
  }));
  return { uri, mimeType: JSON_TYPE, text: writeQuotation(data) };
}

async function readFacts(uri: string, id: string, { backend, signal }: McpContext): Promise<ResourceContent> {
  const facts = summariseInvestigation(await backend.getInvestigation(id, signal));
  return { uri, mimeType: JSON_TYPE, text: writeQuotation(facts) };
}

/** @param besides what leaves together with it, in a prompt */
export async function readReport(
  id: string,
  { backend, signal, command }: McpContext,
  besides: readonly ContentBlock[] = [],
): Promise<ResourceContent> {
  const investigation = await backend.getInvestigation(id, signal);
  const { text = '' } = fitText(writeReport(investigation, command), 0, (part, next) => ({
    text: next === undefined ? part : `${part}\n\n(cut here: get_investigation has all of it)`,
    blocks: besides,
  }));
  return { uri: `inquest://${reportPath(investigation.investigationId)}`, mimeType: MARKDOWN_TYPE, text };
}
