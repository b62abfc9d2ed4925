/** Questions by somebody who had not seen how questions are read. */
import type { AskQuestion } from './ask-question.ts';

export const BLIND_QUESTIONS: readonly AskQuestion[] = [];
