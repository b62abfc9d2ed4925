/** A question in plain language, answered by the host's own agent. */
import { z } from 'zod';
import { cleanTelemetry } from '../../domain/quote-telemetry.ts';
import { writeAnswer } from '../../domain/write-answer.ts';
import { defineMcpTool, READS } from '../catalogue.ts';
import { fitText } from '../fit-answer.ts';

const MAX_EVIDENCE = 30;
const MAX_CHARACTERS = 20_000;

export const ask = defineMcpTool({
  name: 'ask',
  title: 'Ask',
  description:
    'Answers one question about this production system in plain language ("p95 of checkout since 10:00", "what changed before the errors?"), with the evidence behind it. For a root cause use investigate.',
  input: z.strictObject({
    question: z.string().min(1).max(2_000),
    conversationId: z.string().min(1).max(64).optional().describe('Of an earlier answer, to go on from it.'),
  }),
  output: z.object({
    kind: z.enum(['answered', 'empty', 'declined']),
    conversationId: z.string(),
    evidenceIds: z.array(z.string()),
    truncated: z.boolean(),
  }),
  example: { question: 'which service has the most errors in the last hour?' },
  // "Why" may open an incident, so that it is investigated.
  hints: { ...READS, readOnlyHint: false, idempotentHint: false },
  run: async (question, { backend, signal, nowMs }) => {
    const { kind, conversationId, evidenceIds, ...answer } = await backend.ask(question, signal);
    const whole = writeAnswer({ kind, evidenceIds, ...answer }, nowMs());
    const text = String(cleanTelemetry(whole, { maxCharacters: MAX_CHARACTERS }).value);
    return fitText(text, 0, (part, next) => ({
      data: { kind, conversationId, evidenceIds: evidenceIds.slice(0, MAX_EVIDENCE), truncated: next !== undefined },
      text: part,
    }));
  },
});
