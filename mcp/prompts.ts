/** What people ask most, as prompts that a client shows in its menu. */
import { InputError } from '../platform/errors.ts';
import type { ContentBlock, McpPrompt } from './catalogue.ts';
import { completeIncident, completeService } from './complete-arguments.ts';
import { readReport } from './resources.ts';

const MAX_ARGUMENT = 300;

const text = (words: string): ContentBlock => ({ type: 'text', text: words });

const SERVICE = {
  name: 'service',
  description: 'where it was noticed',
  required: false,
  complete: completeService,
} as const;
const SINCE = { name: 'since', description: 'such as 30m, 10:30 or an ISO time', required: false } as const;

/** ` in checkout since 30m`: what a person chose from a form, on one line. */
function scopeOf({ service, since }: Readonly<Record<string, string>>): string {
  for (const [name, value] of Object.entries({ service, since })) {
    if (value !== undefined && (value.length > MAX_ARGUMENT || /[\r\n]/.test(value))) {
      throw new InputError(`${name}: one line of at most ${MAX_ARGUMENT} characters.`);
    }
  }
  return `${service ? ` in ${service}` : ''}${since ? ` since ${since}` : ''}`;
}

const POST_MORTEM = text(
  'Write the post-mortem of this incident: summary, impact, timeline in UTC, root cause, how it was found, what was done, what went well and badly, actions with owners left open. Use only what the report and the tools say; get_investigation with part findings or evidence has the rest. Every claim cites its [ev_...]; leave out what nothing shows, and say what is unknown. Blame no person.',
);

export const PROMPTS: readonly McpPrompt[] = [
  {
    name: 'investigate_this',
    title: 'Investigate this',
    description: 'Find the root cause of trouble in production, with evidence.',
    arguments: [SERVICE, SINCE],
    write: async (given) => [
      text(
        `Find out what is wrong${scopeOf(given)}. Begin with overview. If an incident already covers it, follow that one with investigate and its incidentId; otherwise investigate with a service and a since before the trouble. Report the verdict with its confidence and the evidence ids, what was ruled out and what is missing. If it abstains, say so and give its leads as leads. Compare with the code in this workspace where a commit or operation is named. If an action is proposed, describe it and offer request_decision: only my answer to its form decides.`,
      ),
    ],
  },
  {
    name: 'what_changed',
    title: 'What changed?',
    description: 'Changes and new behaviour in a span of time, side by side.',
    arguments: [SERVICE, SINCE],
    write: async (given) => [
      text(
        `What changed${scopeOf(given) || ' in the last hour'}? Use list_changes for deploys, commits, flags and config; list_anomalies for what deviated; query_telemetry about operations and log_patterns for what behaves otherwise. Put them on one timeline, earliest first, and say which changes precede which symptoms. Cite evidence ids. That something came before is no proof: say what would be.`,
      ),
    ],
  },
  {
    name: 'write_post_mortem',
    title: 'Write the post-mortem',
    description: 'A post-mortem of an incident from its report, in which every claim cites evidence.',
    arguments: [
      {
        name: 'incident',
        description: 'id of an incident or investigation',
        required: true,
        complete: completeIncident,
      },
    ],
    write: async ({ incident = '' }, context) => [
      { type: 'resource', resource: await readReport(incident.trim(), context, [POST_MORTEM]) },
      POST_MORTEM,
    ],
  },
];
