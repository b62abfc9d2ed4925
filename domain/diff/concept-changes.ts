/**
 * What code lost or gained: locks, guards, releases, retries ... counted over all lines of a commit, so that moved code counts
 * as neither. A pattern is a matter of words, not of a grammar: it holds for the common languages alike.
 */
import type { ChangeClass, Concept } from './change-class.ts';
import { plainWords } from './words.ts';

interface ConceptRule {
  readonly concept: Concept;
  /** Found in the line as it stands. */
  readonly code?: RegExp;
  /** Found in its plain words (lower case, split). */
  readonly words?: RegExp;
  /** Strength of losing and of gaining it. */
  readonly removed: number;
  readonly added: number;
  readonly noun: string;
}

const RULES: readonly ConceptRule[] = [
  {
    concept: 'lock',
    words: /\b(mutex|rw ?mutex|r?lock|r?unlock|locked|synchronized|atomic|semaphore|once)\b/,
    removed: 0.95,
    added: 0.5,
    noun: 'locking',
  },
  {
    concept: 'release',
    code: /\.(close|release|unlock|stop|dispose|free|rollback|disconnect|unsubscribe|put|end|destroy|shutdown)\(|clear(Timeout|Interval)\(|removeEventListener|removeListener|^\s*(with|using)\b|\btry\s*\(/i,
    removed: 0.8,
    added: 0.1,
    noun: 'releasing of what was opened',
  },
  {
    concept: 'cancellation',
    code: /\bcancel\(\)|ctx\.Done\(\)|\.abort\(\)|AbortSignal|WithCancel|r\.Context\(\)|CancellationToken/,
    removed: 0.6,
    added: 0.1,
    noun: 'cancellation',
  },
  {
    concept: 'guard',
    code: /(==|!=|===|!==)\s*(nil|null|None|undefined|""|'')|\bis (not )?None\b|\?\.|\?\?|\bOptional\b|\.isPresent\(|\blen\([^)]*\)\s*[=<>!]|\.length\s*[=<>!]|\bok\b\s*:?=|\bif\s+!?ok\b|\.get\([^)]*,|getOrDefault|isEmpty\(/,
    removed: 0.8,
    added: 0.15,
    noun: 'a guard against missing values',
  },
  {
    concept: 'error-check',
    code: /\berr\s*!=\s*nil|\bcatch\b|\bexcept\b|\brescue\b|\brecover\(\)|\.catch\(|on_?error/i,
    removed: 0.45,
    added: 0.1,
    noun: 'handling of errors',
  },
  {
    concept: 'validation',
    words:
      /\b(validat\w*|verif(y|ies|ier|ication)|sanitize\w*|assert\w*|strict|required|schema check|authori[sz]\w*|permission)\b/,
    removed: 0.5,
    added: 0.6,
    noun: 'validation',
  },
  {
    concept: 'tolerance',
    words: /\b(leeway|skew|grace|tolerance|slack|drift)\b/,
    removed: 1,
    added: 0.1,
    noun: 'tolerance',
  },
  {
    concept: 'timeout',
    words: /(?<!\bidle |\bidle conn )\b(time ?out|deadline|with timeout|with deadline)\b/,
    removed: 0.7,
    added: 0.5,
    noun: 'a time limit',
  },
  {
    concept: 'retry',
    words: /\b(retry|retries|retrying|retryable|attempts?)\b/,
    removed: 0.5,
    added: 0.6,
    noun: 'retries',
  },
  {
    concept: 'backoff',
    words: /\b(backoff|jitter|exponential)\b/,
    removed: 0.9,
    added: 0.1,
    noun: 'backing off between attempts',
  },
  {
    concept: 'cache',
    words: /\b(cached?|memoi[sz]e\w*|lru cache|redis get)\b/,
    removed: 0.75,
    added: 0.3,
    noun: 'caching',
  },
  {
    concept: 'eviction',
    words: /\b(evict\w*|delete|lru|expire|prune|trim|max entries|max size|cap|purge|cleanup|reset)\b/,
    removed: 0.7,
    added: 0.1,
    noun: 'eviction of old entries',
  },
  {
    concept: 'throttle',
    words: /\b(rate limit\w*|limiter|throttl\w*|circuit ?breaker|bulkhead|debounce|load shed\w*|single ?flight)\b/,
    removed: 0.8,
    added: 0.6,
    noun: 'limiting of load',
  },
  { concept: 'index', words: /\b(index|idx)\b/, removed: 0.2, added: 0.1, noun: 'an index' },
  {
    concept: 'row-limit',
    code: /\bLIMIT\s+[\d:$?%{]|\bTOP\s+\d|\.limit\(|\.take\(|\bWHERE\b|paginat/,
    removed: 0.8,
    added: 0.1,
    noun: 'the bound of a query',
  },
  {
    concept: 'pause',
    code: /\b(sleep|Sleep|setTimeout|time\.After|NewTicker|delay|wait)\s*\(/,
    removed: 0.6,
    added: 0.7,
    noun: 'a pause',
  },
  {
    concept: 'crash',
    code: /\bpanic\(|\bthrow new\b|\braise\b|log\.Fatal|os\.Exit|process\.exit|System\.exit|\bunwrap\(\)|\bexpect\(|\bMust[A-Z]\w*\(|!!|as!/,
    removed: 0.1,
    added: 0.6,
    noun: 'ways to crash',
  },
  {
    concept: 'parallelism',
    code: /Promise\.all|asyncio\.gather|errgroup|WaitGroup|\bgo func\b|parallelStream|ThreadPool|CompletableFuture|\.parallel\(|create_task|par_iter/,
    removed: 0.8,
    added: 0.4,
    noun: 'doing things side by side',
  },
  {
    concept: 'acknowledgement',
    words: /\b(ack|nack|acknowledge\w*|commit (offsets?|sync|message)|delete message|basic ack)\b/,
    removed: 0.9,
    added: 0.2,
    noun: 'acknowledging of messages',
  },
  {
    concept: 'transaction',
    code: /@Transactional|\btransaction\b|\bBEGIN\b|BeginTx|\.atomic\(|FOR UPDATE|isolation|idempoten/i,
    removed: 0.8,
    added: 0.4,
    noun: 'a transaction or idempotence',
  },
  {
    concept: 'credential',
    words: /\b(authorization|bearer|api key|credentials?|access token|client secret|auth token|set auth)\b/,
    removed: 0.8,
    added: 0.4,
    noun: 'credentials of a call',
  },
  {
    concept: 'logging',
    code: /\b(log|logger|logging|slog|console|LOG|zap|logrus)\w*\.(debug|info|trace|warn|error|log|print\w*|Debug|Info|Trace|Warn|Error|Print\w*)\w*\(/,
    removed: 0,
    added: 0.4,
    noun: 'log lines',
  },
  {
    concept: 'wide-label',
    code: /(WithLabelValues|labels?|tags?|dimensions?)\b.{0,80}\b(user|customer|session|request|trace|order|account|device|email|url|path|ip)_?(id|ID|Id|key)?\b/,
    removed: 0,
    added: 0.7,
    noun: 'a metric label with many values',
  },
];

interface Counts {
  removed: number;
  added: number;
  path: string;
}

/** @param lines all changed lines of a commit's code, comments taken off */
export function conceptChanges(
  lines: readonly { readonly sign: string; readonly code: string; readonly path: string }[],
): ChangeClass[] {
  const counts = new Map<ConceptRule, Counts>();
  for (const { sign, code, path } of lines) {
    const words = plainWords(code);
    for (const rule of RULES) {
      if (!(rule.code?.test(code) || rule.words?.test(words))) continue;
      const count = counts.get(rule) ?? { removed: 0, added: 0, path };
      counts.set(rule, count);
      if (sign === '-') count.removed++;
      else count.added++;
    }
  }
  return [...counts].flatMap(([rule, count]) => toClass(rule, count));
}

/** Half of it gone is half the strength; a line more among many is no change. */
function toClass(rule: ConceptRule, { removed, added, path }: Counts): ChangeClass[] {
  const isLoss = removed > added;
  const share = Math.abs(removed - added) / Math.max(removed, added);
  const strength = (isLoss ? rule.removed : rule.added) * share;
  if (strength === 0) return [];
  const name = `${rule.concept}-${isLoss ? 'removed' : 'added'}` as const;
  return [{ name, strength, does: `${isLoss ? 'takes away' : 'adds'} ${rule.noun}`, path, anchors: [] }];
}
