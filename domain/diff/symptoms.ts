/** Classes of symptom, by the words of what changed in telemetry: log lines, messages of failed spans, names of metrics. */
import { plainWords } from './words.ts';

export type Symptom =
  | 'timeouts'
  | 'latency'
  | 'more-calls'
  | 'pool-waits'
  | 'memory'
  | 'cpu'
  | 'disk'
  | 'log-flood'
  | 'missing-relation'
  | 'missing-field'
  | 'undecodable'
  | 'invalid'
  | 'rejected-identity'
  | 'crash'
  | 'race'
  | 'lock-waits'
  | 'cache-misses'
  | 'throttled'
  | 'refused'
  | 'backlog'
  | 'handles'
  | 'not-configured'
  | 'not-found'
  | 'retries'
  | 'database-load'
  | 'too-large'
  | 'expired'
  | 'cardinality'
  | 'errors'
  | 'less-output';

const BY_WORDS: readonly (readonly [Symptom, RegExp])[] = [
  [
    'timeouts',
    /\b(deadline ?exceeded|deadline|timed? ?out|timeouts?|context cancell?ed|cancell?ed|statement timeout|exceeded \d+ ?m?s)\b/,
  ],
  ['latency', /\b(slow|latency|took \d+|exceeded \d+ ?m?s|lag(ging)?|stall\w*|blocked for)\b/],
  [
    'pool-waits',
    /\b(pool|too many (connections|clients)|connections? (exhausted|limit|acquire|slots)|remaining connection|acquir\w* (a )?(conn\w*|timeout)|no available connection|wait(ing)? for (a )?(connection|idle))\b/,
  ],
  [
    'memory',
    /\b(oom|oom ?killed|out of memory|heap|gc (pause|overhead)|memory|malloc|allocat\w+ failed|rss|evicted)\b/,
  ],
  ['cpu', /\bcpu\b/],
  ['disk', /\b(no space left|disk (full|usage|pressure)|read only file ?system|enospc|inode|volume (full|usage))\b/],
  [
    'missing-relation',
    /\b(relation|table|column|index|view) \W*[\w" ]*\W*does ?n[o']t exist|\b(no such (table|column)|unknown (column|table)|undefined (table|column)|invalid (column|object) name|doesn't exist)\b/,
  ],
  [
    'missing-field',
    /\b(missing (required )?(field|key|property|attribute|parameter)|required (field|property)|unknown field|no mapping|unrecognized field|unexpected (field|key|property)|key ?error|no (field|attribute)|field .{0,40}(missing|required|not found))\b/,
  ],
  [
    'undecodable',
    /\b((de)?seriali[sz]\w*|(un)?marshal\w*|decod\w*|pars(e|ing)( exception| error)?|malformed|json|protobuf|avro|schema (mismatch|registry)|incompatible|unexpected (token|type)|type mismatch|cannot convert|cast\w*)\b/,
  ],
  [
    'invalid',
    /\b(invalid|validation|out of range|violat\w*|constraint|bad request|400|422|illegal argument|rejected|mismatch)\b/,
  ],
  [
    'rejected-identity',
    /\b(401|403|unauthori[sz]ed|forbidden|unauthenticated|jwt|tokens?( is)? expired|invalid (token|credentials|signature|audience|issuer)|signature|not yet valid|access denied|permission denied|credentials?|csrf|cors)\b/,
  ],
  [
    'crash',
    /\b(panic\w*|nil pointer|null ?pointer|none ?type|undefined is not|cannot read propert\w*|segfault|sigsegv|segmentation|index out of (range|bounds)|out of bounds|fatal|uncaught|unhandled|stack overflow|crash\w*|exit(ed)? (code|with)|attribute error|type error|class cast|core dumped|restart\w*|back ?off)\b/,
  ],
  [
    'race',
    /\b(concurrent (map|modification|access|write|update)\w*|data race|race condition|duplicate (key|entry|order|charge|event)\w*|lost update|inconsistent|version conflict|optimistic lock|stale (object|write)|serialization failure|double)\b/,
  ],
  [
    'lock-waits',
    /\b(deadlock\w*|lock (wait|timeout)|waiting for .{0,20}lock|could not obtain lock|lock contention|blocked by)\b/,
  ],
  [
    'cache-misses',
    /\b(cache ?miss\w*|miss(es)? ratio|cache hit|hit (ratio|rate)|stampede|read through|evict\w*|cold cache)\b/,
  ],
  [
    'throttled',
    /\b(429|too many requests|rate limit\w*|throttl\w*|quota|over ?load\w*|shed\w*|circuit (open|breaker))\b/,
  ],
  [
    'refused',
    /\b(connection (refused|reset)|econnrefused|no such host|could not resolve|enotfound|no route|unreachable|broken pipe|eof|upstream (unavailable|connect)|503|502|unavailable)\b/,
  ],
  [
    'backlog',
    /\b(backlog|consumer lag|queue (depth|size|length|oldest|full)|oldest ?message|age of ?oldest|redeliver\w*|not acking|rebalanc\w*|dead ?letter|dlq|pending)\b/,
  ],
  [
    'handles',
    /\b(too many open files|file descriptors?|emfile|open fds?|goroutines?|threads?|socket exhaustion|ports? exhausted)\b/,
  ],
  [
    'not-configured',
    /\b(not configured|missing (env\w*|config\w*|secret|setting)|environment variable|no such (key|host key)|undefined (variable|setting)|config(uration)? (error|invalid|not found))\b/,
  ],
  [
    'not-found',
    /\b(404|not found|no such (file|key|bucket|topic|queue)|unknown (topic|host|method|endpoint|route)|no route matched|unimplemented)\b/,
  ],
  ['retries', /\b(retr(y|ies|ying)|attempts?|giving up)\b/],
  [
    'database-load',
    /\b(slow quer\w*|seq(uential)? scan|full (table )?scan|query plan|rows examined|db (cpu|load|queries|query)|queries per second|buffer pool)\b/,
  ],
  [
    'too-large',
    /\b(larger than max|too (large|long|big)|413|exceeds (the )?(max\w*|limit|size)|(message|payload|body|entity|record) (size|too)|truncated)\b/,
  ],
  ['expired', /\b(expired|expires|stale|lease lost)\b/],
  ['cardinality', /\b(cardinality|too many (time )?series|series limit|max series)\b/],
];

/** The symptoms that a text speaks of. */
export function symptomsOfText(text: string): Symptom[] {
  const words = plainWords(text);
  return BY_WORDS.filter(([, pattern]) => pattern.test(words)).map(([symptom]) => symptom);
}

const UP: readonly (readonly [Symptom, RegExp])[] = [
  ['latency', /\b(latency|duration|response time|p50|p90|p95|p99|ms|seconds|elapsed|processing time)\b/],
  ['timeouts', /\b(time ?outs?|deadline|cancell?ed)\b/],
  [
    'more-calls',
    /\b((quer(y|ies)|calls?|requests?|lookups?|round ?trips?) (count )?per (request|call|order|trace|op\w*)|per request|queries( per sec\w*)?|qps|fan ?out|amplification)\b/,
  ],
  ['database-load', /\b(db|database|sql|postgres|mysql|quer(y|ies)|qps|rows)\b/],
  ['pool-waits', /\b(pool|connections?|conns?|sessions)\b/],
  ['memory', /\b(memory|rss|heap|oom|gc|working set|swap|resident)\b/],
  ['cpu', /\b(cpu|load average|throttled (periods|seconds))\b/],
  ['disk', /\b(disk|volume|inodes?|filesystem|storage)\b/],
  [
    'log-flood',
    /\b(logs?|log lines|lps|log (bytes|write|volume))\b.*\b(write|throughput|lines|bytes|volume|rate|lps|per)\b|\bwrite throughput\b/,
  ],
  ['cache-misses', /\b(miss(es)?|cache evict\w*|evictions?)\b/],
  ['throttled', /\b(429|throttl\w*|rate limited|rejected|dropped|shed)\b/],
  ['backlog', /\b(lag|backlog|queue|oldest|pending|depth|buffer)\b/],
  ['handles', /\b(fds?|file descriptors|goroutines?|threads?|sockets?)\b/],
  ['rejected-identity', /\b(401|403|unauthori[sz]ed|forbidden|token|auth\w*)\b/],
  ['crash', /\b(panics?|restarts?|crash\w*|oom kill\w*)\b/],
  ['retries', /\b(retr(y|ies)|attempts)\b/],
  ['undecodable', /\b((de)?seriali[sz]\w*|decod\w*|pars(e|ing)|unmarshal\w*)\b/],
  ['invalid', /\b(validation|invalid|400|422)\b/],
  ['missing-relation', /\bmissing (table|column|relation)\b/],
  ['lock-waits', /\b(lock|deadlock)\w*\b/],
  ['not-found', /\b404\b/],
  ['errors', /\b(errors?|fail\w*|5xx|500|unavailable|exceptions?|rejected)\b/],
];
const DOWN: readonly (readonly [Symptom, RegExp])[] = [
  ['cache-misses', /\b(cache|hit (ratio|rate)|hits)\b/],
  ['errors', /\b(success|availability|apdex)\b/],
  ['memory', /\b(free|available) (memory|bytes)\b/],
  ['disk', /\b(free|available) (disk|space|bytes)\b/],
  ['pool-waits', /\bidle (conn\w*)\b|\b(available|free) conn\w*/],
];

/** What it means that a metric of this name went up or down. What else goes down is less of what the service is there for. */
export function symptomsOfMetric(name: string, direction: 'up' | 'down'): Symptom[] {
  const words = plainWords(name);
  const found = (direction === 'up' ? UP : DOWN)
    .filter(([, pattern]) => pattern.test(words))
    .map(([symptom]) => symptom);
  return direction === 'down' && found.length === 0 && !isLatency(words) ? ['less-output'] : found;
}

function isLatency(words: string): boolean {
  return /\b(latency|duration|response time|p9\d|ms)\b/.test(words);
}

const LOAD =
  /\b(rps|requests?( per sec\w*| rate| total| count)?|requests per|traffic|throughput|arrivals?|visits|sessions|(active|concurrent) users)\b/;
/** Of the outcome of requests, or of the cost of one. */
const NOT_LOAD = /\b(errors?|fail\w*|[45]xx|[45]\d\d|latency|duration|ratio|logs?|ms|per (request|call|order|trace))\b/;

/** How much work arrives: its rise is a cause or a consequence, never itself a symptom. */
export function isLoad(name: string): boolean {
  const words = plainWords(name);
  return LOAD.test(words) && !NOT_LOAD.test(words);
}
