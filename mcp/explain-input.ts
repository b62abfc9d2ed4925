/** What is said about arguments that do not fit a tool: each problem by name, what there is, and an example that works. */
import type { z } from 'zod';
import type { McpTool } from './catalogue.ts';

const MAX_PROBLEMS = 5;

export function explainInput({ name, input, example }: McpTool, error: z.ZodError): string {
  const problems = error.issues.slice(0, MAX_PROBLEMS).map(describeIssue);
  const known = Object.keys(input.shape).join(', ');
  const has = known === '' ? 'It takes no arguments.' : `It takes: ${known}.`;
  return `${name}: ${problems.join('; ')}. ${has} Example: ${JSON.stringify(example)}`;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `there is no argument ${issue.keys.slice(0, 5).join(', ')}`;
  const path = issue.path.join('.') || 'arguments';
  return `${path}: ${issue.message}`;
}
