/** Questions that can be answered, about what there is: the nearest to one that could not be understood. */
import type { Names } from './names.ts';
import { isStopWord } from './vocabulary.ts';

/** `{service}`, `{other}` and `{operation}` are filled with names that telemetry knows. */
const EXAMPLES: readonly string[] = [
  'request rate of {service} since 10:00',
  'p95 of {service} in the last 10 minutes',
  'error rate of {service} in the last hour',
  'which service has the most errors?',
  'slowest services in the last 30 minutes',
  'latency of {service} by operation',
  'errors of {service} by {attribute}',
  'how many requests did {service} serve in the last 5 minutes?',
  'show p95 of {service} over time',
  'compare {service} before and after 10:00',
  'which operations changed most since 10:00?',
  'compare error rates of {service} and {other}',
  'what changed in the last hour?',
  'deploys of {service} today',
  'which version of {service} is running?',
  'error logs of {service} in the last 10 minutes',
  'new log messages since 10:00',
  'logs containing "timeout"',
  'which service logs the most warnings?',
  'cpu of {service} in the last hour',
  'which metrics does {service} have?',
  'which metrics changed most since 10:00?',
  'slowest traces of {service}',
  'show me a failed request of {service}',
  'who calls {service}?',
  'what does {service} depend on?',
  'which customers are affected by the errors of {service}?',
  'where do the errors come from?',
  'why is {service} slow?',
  'how is {service} doing?',
];

const COUNT = 3;
const USUAL = ['how is {service} doing?', 'which service has the most errors?', 'what changed in the last hour?'];

/** The three nearest by the words they share, with a service that the question names where it names one. */
export function suggestQuestions(text: string, names: Names): string[] {
  const words = contentWords(text);
  const mentioned = names.services.filter((service) => words.has(service.toLowerCase()));
  const [service = 'checkout', other = 'payment'] = [...new Set([...mentioned, ...names.services])];
  const attribute = names.attributes.find((key) => !/[._]/.test(key)) ?? 'version';
  const fill = (example: string) =>
    example.replace('{service}', service).replace('{other}', other).replace('{attribute}', attribute);
  const ranked = EXAMPLES.map((example) => ({ example, shared: countShared(words, contentWords(example)) }))
    .filter(({ shared }) => shared > 0)
    .sort((left, right) => right.shared - left.shared)
    .map(({ example }) => example);
  return [...new Set([...ranked, ...USUAL])].slice(0, COUNT).map(fill);
}

function contentWords(text: string): Set<string> {
  const words = text.toLowerCase().match(/[a-z0-9][\w-]*/g) ?? [];
  return new Set(
    words.filter((word) => !isStopWord(word)).map((word) => word.replace(/(?<=...)(?:ments?|s|es|ing|ed)$/, '')),
  );
}

function countShared(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  return [...left].filter((word) => right.has(word)).length;
}
