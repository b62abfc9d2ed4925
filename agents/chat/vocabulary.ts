/** The words that questions are made of, by what they mean. One word, one meaning; phrases win over their words. */
import type { ChangeKind } from '../../domain/change.ts';
import type { Measure } from '../../domain/telemetry-query.ts';

/** What a word or phrase says. */
export type Concept =
  | `measure:${Measure}`
  | `kind:${ChangeKind}`
  | 'latency'
  | 'slowest'
  | 'fastest'
  | 'slower'
  | 'most'
  | 'least'
  | 'how-many'
  | 'each'
  | 'which'
  | 'over-time'
  | 'by-minute'
  | 'group:service'
  | 'group:operation'
  | 'group:pod'
  | 'group:version'
  | 'group:severity'
  | 'compare'
  | 'shift'
  | 'changes'
  | 'deployed'
  | 'running'
  | 'logs'
  | 'log-line'
  | 'warnings'
  | 'common'
  | 'share'
  | 'distinct'
  | 'new'
  | 'containing'
  | 'traces'
  | 'example'
  | 'metrics'
  | 'callers'
  | 'callees'
  | 'origin'
  | 'affected'
  | 'who'
  | 'why'
  | 'health'
  | 'again'
  | 'action'
  | 'request'
  /** Leaves something out: no answer does. */
  | 'negation'
  /** A time that read-time.ts did not take. */
  | 'unread-time'
  | 'since-deploy'
  | 'thanks';

/** Alternatives behind bars. */
const PHRASES: Readonly<Partial<Record<Concept, string>>> = {
  'measure:rate':
    'requests per second|requests a second|requests/s|req/s|calls per second|request rate|call rate|rps|qps|traffic|throughput|load|rate of requests|how busy|requests per minute|calls per minute|rate of calls|rate|rates',
  'measure:errors':
    'errors|error|fail|fails|failed|failing|failure|failures|failed requests|exceptions|exception|5xx|500s|broken requests|error count|number of errors|faults|broken|crash|crashes|crashed|crashing|hosed|borked|busted|dying|unhealthy|struggling|blowing up|on fire|erroring',
  'measure:errorRatio':
    'error rate|error rates|failure rate|failure rates|error ratio|error percentage|percentage of errors|percent of errors|share of errors|errors rate|rate of errors|success rate|availability|how often fail',
  'measure:average': 'average|avg|mean|typical',
  'measure:p50': 'p50|median|50th percentile|50 percentile',
  'measure:p90': 'p90|90th percentile|90 percentile',
  'measure:p95': 'p95|95th percentile|95 percentile|95th|percentiles|percentile',
  'measure:p99': 'p99|99th percentile|99 percentile|99th|tail latency',
  'measure:max': 'max|maximum|peak|longest|highest value',
  'measure:min': 'min|minimum|shortest|lowest value',
  'measure:count': 'request count|total requests|requests served|volume',
  'how-many': 'how many|number of|count|count of|how much|total|total number of',
  latency:
    'latency|latencies|response time|response times|duration|durations|slow|slowness|took|takes|take|how long|how slow|how fast|speed|respond|response|performance|time taken|sluggish|laggy|lagging|lag|hanging|stuck|timing out|slowness',
  slowest: 'slowest|worst latency',
  fastest: 'fastest|quickest',
  slower:
    'slower|faster|slow down|slowed down|gotten slow|got slow|degraded|worse|regressed|go up|went up|gone up|going up|go down|went down|increase|increased|increasing|decrease|decreased|rise|rose|risen|rising|spike|spiked|spiking|drop|dropped|dropping|grow|grew|growing|climb|climbed|jump|jumped|fall|fell',
  most: 'most|worst offenders|highest|top|busiest|worst|biggest|largest|greatest|heaviest|more',
  least: 'least|lowest|fewest|smallest|quietest',
  each: 'by|per|for each|each|every|every other|all other|the other|the rest|grouped by|group by|split by|broken down by|breakdown by|breakdown|across',
  which: 'which|what',
  'over-time':
    'over time|trend|chart|graph|plot|timeline|history|course|curve|series|time series|evolution|evolve|develop|developed|developing',
  'by-minute': 'by minute|per minute|minute by minute|each minute|by the minute',
  'group:service': 'services|service|microservice|microservices|app|apps|application|applications|component|components',
  'group:operation':
    'operation|operations|endpoint|endpoints|route|routes|api|apis|url|urls|path|paths|method|methods|page|pages|handler|handlers|rpc|rpcs',
  'group:pod':
    'pod|pods|instance|instances|replica|replicas|container|containers|host|hosts|node|nodes|machine|machines',
  'group:version': 'by version|per version',
  'group:severity': 'severity|severities|level|levels|log level|log levels',
  compare:
    'compare|compared|comparison|versus|vs|before and after|than before|than usual|than normal|difference|differ|against|unusual|usual|normal|abnormal|as usual|weird|odd|strange|off',
  shift:
    'changed most|changed the most|moved most|moved|most changed|shifted|biggest changes|stand out|stands out|anomalies|anomalous|regressions',
  changes:
    'changes|change|changed|what changed|whats changed|what was changed|what has changed|happened before|went out|modified',
  deployed: 'deployed|released|rolled out|shipped|pushed|went live|gone live|touched|anything deployed|who deployed',
  running: 'running|version|versions|build|which version|what version',
  'kind:deploy': 'deploy|deploys|deployment|deployments|release|releases|rollout|rollouts|rolled|roll out|roll outs',
  'kind:commit': 'commit|commits|merged|pull request|pull requests|pr|prs|diff|diffs',
  'kind:flag': 'flag|flags|feature flag|feature flags|toggle|toggles|flipped|toggled',
  'kind:config': 'config|configs|configuration|setting|settings',
  'kind:infrastructure': 'infrastructure changes|infra changes|infra',
  logs: 'logs|log|logged|logging|logs for|in the logs',
  'log-line':
    'line|lines|log line|log lines|log message|log messages|message|messages|entries|stack trace|stack traces|stacktrace',
  warnings: 'warning|warnings|warn|warns',
  common: 'common|most common|frequent|most frequent|commonest|top error messages|typical lines|repeated',
  share: 'percentage|percent|fraction|proportion|share',
  distinct: 'distinct|unique|different',
  new: 'new|newly|appeared|never seen|first seen|unseen|first time|new kinds of|pattern|patterns',
  containing: 'containing|contain|say|contains|mentioning|mention|with text|matching|including|about|saying|says|grep',
  traces: 'trace|traces|span|spans',
  example:
    'slow requests|slow request|slowest requests|slowest request|slow calls|example|examples|sample|samples|show me a|show me one|give me a|one request|single request|an instance of',
  metrics: 'metric|metrics|measurements|gauge|gauges|counters',
  callers:
    'who calls|who is calling|who talks to|what talks to|what is calling|which services call|what calls|callers|caller|callers of|upstream|upstreams|who uses|what uses|who depends on|what depends on|which services depend on|which services use|clients of|used by|called by',
  callees:
    'depend on|depends on|dependencies|dependency|downstream|downstreams|who does|callees|talk to|talks to|calls to|calls out to|rely on|relies on',
  origin:
    'come from|coming from|originate|originates|originating|origin|origins|source of|where do|where does|where are|where is|where|begin|start failing',
  affected: 'affected|hit|hurt|impacted|impact|suffering|suffer|experiencing|seeing|over represented',
  who: 'who|whom|customers|users|tenants|clients',
  why: 'why|how come|root cause|cause|causes|caused|causing|reason|reasons|explain|investigate|diagnose|culprit|suspect|suspects|whats wrong|what is wrong|what went wrong|what is going on|whats going on|what happened|whats happening|what is happening|what broke|whats broken|what is broken|is something wrong|anything wrong|to blame|at fault|when did it start|when did this start|when did it begin|when did errors start|when did the errors start|when did the trouble start|since when',
  health:
    'what is up with|whats up with|how is|how are|hows|status|health|healthy|doing|overview|summary|up|down|state|look like|looks like|looking',
  again: 'same|also|what about|how about|and|now|again|instead|then|but|only',
  action:
    'restart|rollback|roll back|revert|undo|delete|kill|scale|stop|shut down|approve|reject|disable|enable|reboot|fix|page someone|silence|mute|deploy now|switch off|turn off|turn on|truncate|update|insert',
  negation:
    "not|no|none|without|except|excluding|exclude|excludes|other than|besides|but not|isn't|aren't|wasn't|don't|doesn't|didn't|never|less than|fewer than|more than",
  'unread-time':
    'yesterday|today|tomorrow|tonight|week|weeks|weekend|month|months|year|years|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july|august|september|october|november|december|am|pm|est|edt|pst|pdt|cet|cest|ist|bst',
  'since-deploy':
    'since the deploy|after the deploy|since the last deploy|after the last deploy|since deploy|after deploy|since the deployment|after the deployment|since the release|after the release|since the rollout|after the rollout|since the latest deploy',
  thanks: 'thanks|thank you|thx|cheers|ok|okay|great|cool',
  request: 'request|requests|req|reqs|call|calls|call count|transactions|transaction|hits',
};

const STOP_WORDS = new Set(
  `a an the of for in on is are was were be been being do does did done have has had having get gets got getting show me give
  list tell please can could would should will i we you they it its our my your their us with without to from at as that this these
  those there here any some all anything something everything and or just so if into than much many currently seen see find
  display print return fetch let lets want know need like when what whats during within over under between serve served serving use uses using
  used been time times happen happens happening since experience new recent recently latest last first ago lot go going went
  out off up hi hello hey pls plz right im id s t re ve production prod system everywhere anywhere somewhere ever still look looking
  look check value values figure figures data it's what's where's who's how's how behave behaving behaves them then him her too very really
  search searching order ordered sort sorted quick quickly exactly roughly about around also made make makes via through user's after before
  returning returned returns throw throws threw thrown throwing one ones itself happened other others else kindly actually actual
  sudden suddenly running run runs hi ya dear tail spent spend spends ate eats eating eaten whole entire overall total totally pegged maxed peak since both someone anyone everybody everyone nobody
  again ever got get getting doing done bit little lots plenty real really truly kind sort type kinds types own still yet already maybe perhaps
  thing things stuff guys team folks sth smth why's where's when's you're we're they're can't`.split(/\s+/),
);

/** Phrases, the longest first. */
const BY_PHRASE: ReadonlyMap<string, Concept> = new Map(
  Object.entries(PHRASES).flatMap(([concept, phrases]) =>
    (phrases ?? '').split('|').map((phrase) => [phrase, concept as Concept] as const),
  ),
);
const LONGEST_PHRASE = Math.max(...[...BY_PHRASE.keys()].map((phrase) => phrase.split(' ').length));

export interface Meaning {
  readonly concept: Concept;
  readonly words: number;
}

/** The longest phrase that begins at this word. */
export function meaningAt(words: readonly string[], index: number): Meaning | undefined {
  for (let length = Math.min(LONGEST_PHRASE, words.length - index); length > 0; length--) {
    const concept = BY_PHRASE.get(words.slice(index, index + length).join(' '));
    if (concept) return { concept, words: length };
  }
  return undefined;
}

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word) || /^\W*$/.test(word);
}

const KNOWN_WORDS: ReadonlySet<string> = new Set([...BY_PHRASE.keys()].flatMap((phrase) => phrase.split(' ')));

/** Whether the vocabulary, or a phrase of it, has this word. */
export function isKnownWord(word: string): boolean {
  return KNOWN_WORDS.has(word) || isStopWord(word);
}

/** The word of the vocabulary that was meant by one that is a slip of the finger away; undefined: none, or it is too short to tell. */
export function correctWord(word: string): string | undefined {
  // The first letter is hardly ever the wrong one: "excluding" is no "including".
  return [...KNOWN_WORDS].find((known) => known[0] === word[0] && isSlip(word, known));
}

const SHORTEST_SLIP = 4;
const LONG_WORD = 8;

/** Whether one of two words came of the other by a letter left out, added, changed or swapped; two such in long ones. */
export function isSlip(typed: string, meant: string): boolean {
  if (typed === meant) return true;
  if (Math.min(typed.length, meant.length) < SHORTEST_SLIP) return false;
  const allowed = Math.min(typed.length, meant.length) >= LONG_WORD ? 2 : 1;
  return Math.abs(typed.length - meant.length) <= allowed && editDistance(typed, meant) <= allowed;
}

/** Optimal string alignment: edits and swaps of neighbours (Damerau 1964, restricted). */
function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
