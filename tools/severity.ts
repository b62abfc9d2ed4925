/** Severities of log lines by the names people use, as OTLP numbers them (logs data model, "Field: SeverityNumber"). */
import { z } from 'zod';

const SEVERITY_NUMBERS = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;

export const minSeverityInput = z
  .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
  .describe('This severity or worse.');

export function severityNumber(name: z.infer<typeof minSeverityInput> | undefined): number | undefined {
  return name === undefined ? undefined : SEVERITY_NUMBERS[name];
}
