/** Explanations that no commit of ours is: providers, names, certificates, nodes, surges, a single bad record; told by what telemetry says. */
import type { CauseType } from '../finding.ts';
import type { Sign } from './incident-signs.ts';
import { plainWords, wordsOf } from './words.ts';

export interface OutsideCause {
  readonly name: 'provider' | 'name-resolution' | 'certificate' | 'node' | 'bad-record' | 'surge' | 'expired-account';
  readonly causeType: CauseType;
  /** 0..1: how well it explains the incident. */
  readonly strength: number;
  readonly service: string;
  /** What shows it, as telemetry says it. */
  readonly shownBy: string;
}

type Calls = readonly { readonly caller: string; readonly callee: string }[];

interface TextRule {
  readonly name: OutsideCause['name'];
  readonly causeType: CauseType;
  readonly strength: number;
  readonly says: RegExp;
  /** Only where the same text names a host or a cloud that is not ours. */
  readonly namesOutsider?: true;
}

const OUTAGE =
  /\b(5\d\d|unavailable|not available|failover|outage|degraded|maintenance|refused|reset|unreachable|bad gateway|internal (server )?error|service disruption)\b/i;
const SLOW = /\b(time(d|s)?[ -]?outs?|deadline|slow|latency)\b/i;
const HOST = /\b((?:[a-z0-9-]+\.){1,5}(?:com|net|org|io|dev|cloud|app|ai|co|eu|us|uk|de|cn|jp))(?=[:/\s"',;)\]]|$)/i;
/** Names that look like hosts and are none, or are our own. */
const OWN_HOST = /\b(localhost|example\.com|github\.com|kubernetes\.io|golang\.org|internal|local|svc|cluster)\b/i;
const CLOUD =
  /\b(aws|amazonaws|gcp|google ?apis|cloud sql|azure|rds|cloudflare|fastly|akamai|s3|dynamo ?db|kinesis|big ?query|availability zone|(us|eu|ap)-[a-z]+-\d)\b/i;

const RULES: readonly TextRule[] = [
  {
    name: 'name-resolution',
    causeType: 'name-resolution',
    strength: 0.85,
    says: /\b(no such host|enotfound|eai_again|servfail|nxdomain|name resol\w*|resolv\w* host|could not resolve|dns|nameservers?|unknownhost\w*|temporary failure in name|name or service not known)\b/i,
  },
  {
    name: 'certificate',
    causeType: 'expired-certificate',
    strength: 0.88,
    says: /\bcert\w*\b.{0,80}\b(expired|not (yet )?valid|verify failed|unknown authority|revoked)|\bcert\w* has expired|\b(bad|invalid|expired) cert\w*|local issuer|x509|\b(ssl|tls)\b.{0,60}\b(expired|handshake|verif\w*)|\bpkix\b/i,
  },
  {
    name: 'expired-account',
    causeType: 'external-dependency',
    strength: 0.7,
    says: /\b(licen[cs]e|subscription|api key|account|billing)\b.{0,60}\b(expired|suspended|exceeded|revoked|past due)/i,
  },
  {
    name: 'node',
    causeType: 'unknown',
    strength: 0.78,
    says: /\bnode\b.{0,60}\b(not ?ready|not responding|lost|drain\w*|\w*pressure|unreachable|unavailable|cordon\w*|reboot\w*|tainted|fail\w*)|\bnot ?ready\b|\b(kubelet|nodenotready|kernel|hypervisor|preempt\w*|spot (interruption|instance)|diskpressure|memorypressure|pleg|ecc|nvme|hardware|i\/o error|packet loss|link down|nic|bgp|network partition|cpu steal|noisy neighbou?r|evicting pod|instance [\w -]{0,30}\b(terminated|retir\w*)|host maintenance)\b/i,
  },
  {
    name: 'provider',
    causeType: 'external-dependency',
    strength: 0.85,
    says: OUTAGE,
    namesOutsider: true,
  },
  {
    name: 'provider',
    causeType: 'external-dependency',
    strength: 0.6,
    says: SLOW,
    namesOutsider: true,
  },
];

function namesOutsider(text: string): boolean {
  const host = HOST.exec(text)?.[1];
  return (host !== undefined && !OWN_HOST.test(host)) || CLOUD.test(text);
}

/** The least share of the incident's signs that must say it: an odd line proves nothing. */
const LEAST_SHARE = 0.08;

/** What somebody wrote about things that are not ours: a status page, a note of a provider. */
export interface StatusNote {
  readonly atMs: number;
  readonly text: string;
}

/** The best of them; undefined where nothing speaks for any. */
export function findOutsideCause(
  signs: readonly Sign[],
  calls: Calls,
  notes: readonly StatusNote[],
): OutsideCause | undefined {
  const said = RULES.flatMap((rule) => byText(rule, signs) ?? []);
  const all = [...said, ...badRecords(signs), ...surges(signs, calls), ...announced(signs, notes)];
  return all.sort((left, right) => right.strength - left.strength)[0];
}

function byText(rule: TextRule, signs: readonly Sign[]): OutsideCause | undefined {
  const spoken = signs.filter(({ kind, weight }) => kind !== 'metric' && weight >= 0.3);
  const saying = spoken.filter(({ text }) => speaks(rule, text));
  const [first] = [...saying].sort((left, right) => left.onsetMs - right.onsetMs);
  const share = weightOf(saying) / Math.max(0.1, weightOf(spoken));
  if (!first || share < LEAST_SHARE) return undefined;
  const { name, causeType, strength } = rule;
  return {
    name,
    causeType,
    strength: strength * Math.min(1, 0.45 + 0.85 * share),
    service: first.service,
    shownBy: first.text.slice(0, 160),
  };
}

/** As it stands, and with its compound words taken apart. */
function speaks({ says, namesOutsider: mustName }: TextRule, text: string): boolean {
  return (says.test(text) || says.test(plainWords(text))) && (!mustName || namesOutsider(text));
}

function weightOf(signs: readonly Sign[]): number {
  return signs.reduce((sum, { weight }) => sum + weight, 0);
}

/** An outage announced for something that the signs name is as good as seen; one of something else may be a coincidence. */
const ANNOUNCED = { named: 0.78, other: 0.45 };
const NOTE_SLACK_MS = 3_600_000;

function announced(signs: readonly Sign[], notes: readonly StatusNote[]): OutsideCause[] {
  const clear = signs.filter(({ weight }) => weight >= 0.5);
  const firstMs = Math.min(...clear.map(({ onsetMs }) => onsetMs));
  const outages = notes.filter(
    ({ atMs, text }) =>
      atMs >= firstMs - NOTE_SLACK_MS && (OUTAGE.test(text) || /\belevated|errors?|latency|fail/i.test(text)),
  );
  const spoken = new Set(clear.filter(({ kind }) => kind !== 'metric').flatMap(({ text }) => [...wordsOf(text)]));
  return outages.map(({ text }) => {
    const isNamed = [...wordsOf(text)].some((word) => word.length > 3 && spoken.has(word));
    const strength = isNamed ? ANNOUNCED.named : ANNOUNCED.other;
    const service = clear[0]?.service ?? '';
    return {
      name: 'provider' as const,
      causeType: 'external-dependency' as const,
      strength,
      service,
      shownBy: text.slice(0, 160),
    };
  });
}

const RECORD_ID =
  /\b(offset|record|message|msg|event|row|partition|document|object|payload|batch|job|order)[\w-]*\s*[=:#]\s*["']?[\w-]*\d[\w-]{3,}/i;

/** The very same line, with the id of one record in it, over and over: the record is bad, not the code that refuses it. */
function badRecords(signs: readonly Sign[]): OutsideCause[] {
  return signs
    .filter(
      ({ kind, weight, count, distinctBodies, text }) =>
        kind === 'log' &&
        weight >= 0.5 &&
        count >= 5 &&
        distinctBodies <= Math.max(1, 0.15 * count) &&
        RECORD_ID.test(text),
    )
    .map(({ service, text }) => ({
      name: 'bad-record' as const,
      causeType: 'external-dependency' as const,
      strength: /redeliver|poison|malformed|offset|partition/i.test(text) ? 0.82 : 0.55,
      service,
      shownBy: text.slice(0, 160),
    }))
    .slice(0, 1);
}

/** More work by this factor is a surge. */
const SURGE_RATIO = 1.6;
const SURGE_SLACK_MS = 120_000;

/** More work came in from outside before anything else went wrong: to services nobody of ours calls, or whose callers send no more. */
function surges(signs: readonly Sign[], calls: Calls): OutsideCause[] {
  const trouble = signs.filter(({ isLoad, weight }) => !isLoad && weight >= 0.5);
  const firstTroubleMs = Math.min(...trouble.map(({ onsetMs }) => onsetMs));
  const perCall = signs.some(({ symptoms }) => symptoms.includes('more-calls') || symptoms.includes('cache-misses'));
  const loads = signs.filter(
    ({ isLoad, ratio, onsetMs }) => isLoad && ratio >= SURGE_RATIO && onsetMs <= firstTroubleMs + SURGE_SLACK_MS,
  );
  const loaded = new Set(loads.map(({ service }) => service));
  const fromOutside = loads.filter(({ service }) => {
    const callers = calls.filter(({ callee, caller }) => callee === service && caller !== service);
    return callers.length === 0 || callers.some(({ caller }) => loaded.has(caller));
  });
  const [strongest] = fromOutside.sort((left, right) => right.ratio - left.ratio);
  if (!strongest || perCall) return [];
  const strength = Math.min(0.8, 0.45 + 0.1 * Math.log2(strongest.ratio) + (loaded.size > 1 ? 0.1 : 0));
  return [{ name: 'surge', causeType: 'traffic-surge', strength, service: strongest.service, shownBy: strongest.text }];
}
