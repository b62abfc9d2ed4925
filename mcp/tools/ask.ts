/** A question in plain language, answered by the host's own agent. */
import { z } from 'zod';
import { cleanTelemetry } from '../../domain/quote-telemetry.ts';
import { UnavailableError } from '../../platform/errors.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { fitText } from '../fit-answer.ts';

const MAX_EVIDENCE = 30;
const MAX_CHARACTERS = 20_000;

export const ask = defineMcpTool({
  name: 'ask',
  title: 'Ask',
  description:
    'Answers one question about this production system in plain language ("p95 of checkout since 10:00", "what changed before the errors?"), with the evidence behind it. For a root cause use investigate.',
  input: z.strictObject({ question: z.string().min(1).max(2_000) }),
  output: z.object({ evidenceIds: z.array(z.string()), truncated: z.boolean() }),
  example: { question: 'which service has the most errors in the last hour?' },
  hints: { ...READS, idempotentHint: false },
  run: async ({ question }, { backend, signal }) => {
    if (!backend.ask) throw new UnavailableError('The host cannot answer questions: is it of an older version?');
    const { answer, evidenceIds } = await backend.ask({ question }, signal);
    const text = String(cleanTelemetry(answer, { maxCharacters: MAX_CHARACTERS }).value);
    return fitText(text, 0, (part, next) => ({
      data: { evidenceIds: evidenceIds.slice(0, MAX_EVIDENCE), truncated: next !== undefined },
      text: part,
    }));
  },
});
