/** What a metric tells of its service, from the words of its name: OpenTelemetry's semantic conventions, and what others call it. */
import type { Aspect } from '../../domain/anomaly.ts';

export interface MetricMeaning {
  readonly aspect: Extract<Aspect, 'latency' | 'errors' | 'traffic' | 'resources'>;
  /** Which way trouble goes; undefined: either. */
  readonly worse: 1 | -1 | undefined;
  /** What callers of the service see of it. */
  readonly isServed: boolean;
  /** What the service sees of others: it may wait for a long time by design. */
  readonly isAwaited: boolean;
}

const ERRORS = /error|fail|exception|reject|drop|refus|retr(y|ies)|5xx|dead_?letter/;
const SUCCESS = /success|availab/;
const LATENCY = /duration|latency|response_?time|elapsed|delay|p9\d|\blag\b|wait/;
const TRAFFIC =
  /request|rate$|workload|throughput|(?<!sys)calls|operations|messages|qps|rps|ops$|hits|visits|orders|sessions/;
const AWAITED = /client|outbound|upstream|producer/;
const SERVED = /server|inbound|front|ingress/;
/** How many are under way grows with how long they take. */
const UNDER_WAY = /active|pending|in_?flight|open|queue|backlog|pool|connections/;

/** Rare by nature: each one is beyond all that the series has shown, and is counted by rules (rules.ts). */
const RARE = /restart|uptime|start_?time|oom|certificate|expir/;

/** Undefined: it tells of the host that a pod runs on, which is not of its service alone; or rules judge it. */
export function meaningOf(metric: string, pod: string): MetricMeaning | undefined {
  const name = metric.toLowerCase();
  if (pod !== '' && /^(k8s[._]node|node|host|system)[._]/.test(name)) return undefined;
  if (RARE.test(name)) return undefined;
  const [isAwaited, isServed] = [AWAITED.test(name), SERVED.test(name)];
  if (SUCCESS.test(name)) return { aspect: 'errors', worse: -1, isServed, isAwaited };
  if (ERRORS.test(name)) return { aspect: 'errors', worse: 1, isServed, isAwaited };
  if (LATENCY.test(name) && !UNDER_WAY.test(name)) return { aspect: 'latency', worse: 1, isServed, isAwaited };
  if (TRAFFIC.test(name) && !UNDER_WAY.test(name)) return { aspect: 'traffic', worse: undefined, isServed, isAwaited };
  return { aspect: 'resources', worse: 1, isServed: false, isAwaited: false };
}
