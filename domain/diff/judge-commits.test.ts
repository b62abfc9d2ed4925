import { describe, expect, test } from 'vitest';
import { type IncidentWords, judgeIncident } from './incident.fixture.ts';

/** Innocent changes of the same service, deployed later than the suspect. */
const DECOYS: Readonly<Record<string, string>> = {
  'shop src/shop/handler.go':
    '-\tvar req Request\n-\tif err := json.NewDecoder(r.Body).Decode(&req); err != nil {\n-\t\thttp.Error(w, err.Error(), 400)\n-\t\treturn\n-\t}\n+\treq, err := decodeRequest[Request](r)\n+\tif err != nil {\n+\t\twriteError(w, http.StatusBadRequest, err)\n+\t\treturn\n+\t}',
  'shop go.mod': '-\tgoogle.golang.org/grpc v1.62.0\n+\tgoogle.golang.org/grpc v1.62.1',
  'shop web/static/shop.css': '-.card { padding: 8px; }\n+.card { padding: 12px; }',
  'shop docs/timeouts.md':
    '-The pool timeout is 5s and memory is limited.\n+The pool timeout is 300ms and memory is limited.',
  'shop src/shop/parse.go': '-\tx := parse(a)\n-\treturn render(x)\n+\tx := parse(a)\n+\n+\treturn render(x)',
};

const GUILTY: Readonly<Record<string, IncidentWords>> = {
  'rows no longer closed, pool runs dry': {
    errors: ['shop ERROR pq: sorry, too many clients already', 'shop ERROR timeout acquiring connection from pool'],
    metrics: { 'shop db_pool_in_use_connections': [8, 50] },
    commits: {
      'shop src/shop/store.go':
        ' \trows, err := s.db.QueryContext(ctx, listSQL)\n \tif err != nil {\n \t\treturn nil, err\n \t}\n-\tdefer rows.Close()\n \tfor rows.Next() {',
    },
  },
  'pool made smaller in yaml': {
    errors: ['shop ERROR HikariPool-1 - Connection is not available, request timed out after 30000ms.'],
    commits: {
      'shop config/application.yaml':
        ' spring:\n   datasource:\n     hikari:\n-      maximum-pool-size: 50\n+      maximum-pool-size: 4',
    },
  },
  'backoff removed, callee overrun': {
    errors: ['shop WARN retrying stock call, attempt failed', 'stock ERROR 429 Too Many Requests: rate limit exceeded'],
    metrics: { 'stock requests_per_sec': [100, 900], 'stock http_p99_ms': [40, 900] },
    calls: ['shop>stock'],
    commits: {
      'shop src/shop/client.py':
        ' for attempt in range(5):\n     try:\n         return stub.reserve(item)\n     except Unavailable:\n-        time.sleep(backoff(attempt) + random_jitter())\n+        continue',
    },
  },
  'optional chaining removed': {
    errors: ["shop ERROR TypeError: Cannot read properties of undefined (reading 'amount')"],
    metrics: { 'shop http_5xx_ratio': [0.002, 0.3] },
    commits: {
      'shop src/shop/price.ts':
        '-  const amount = order.discount?.amount ?? 0;\n+  const amount = order.discount.amount;',
    },
  },
  'index dropped by a migration': {
    errors: ['db WARN slow query: SELECT * FROM orders WHERE customer_id = $1 took 4300ms'],
    metrics: { 'db db_cpu_utilization': [20, 96], 'shop http_server_duration_p99_ms': [80, 4000] },
    calls: ['shop>db'],
    commits: { 'shop db/migrations/0043_cleanup.sql': '+DROP INDEX IF EXISTS idx_orders_customer_id;' },
  },
  'memory limit lowered': {
    errors: ['shop ERROR OOMKilled: container exceeded memory limit 256Mi'],
    commits: { 'shop charts/shop/values.yaml': ' resources:\n   limits:\n-    memory: 1Gi\n+    memory: 256Mi' },
  },
  'java heap lowered': {
    errors: ['shop FATAL java.lang.OutOfMemoryError: Java heap space'],
    commits: { 'shop deploy/shop/start.sh': '-exec java -Xmx2g -jar shop.jar\n+exec java -Xmx256m -jar shop.jar' },
  },
  'setting read under another name': {
    errors: ['shop FATAL environment variable PAYMENTS_BASE_URL is not configured'],
    commits: {
      'shop src/shop/settings.py': "-PAYMENTS = os.getenv('PAYMENTS_URL')\n+PAYMENTS = os.getenv('PAYMENTS_BASE_URL')",
    },
  },
  'points to another host': {
    errors: ['shop ERROR dial tcp: lookup stock-v2.internal.local: no such host'],
    commits: {
      'shop config/shop.yaml':
        '-  stock_url: "http://stock.internal.local:8080"\n+  stock_url: "http://stock-v2.internal.local:8080"',
    },
  },
  'tasks without end': {
    errors: ['shop WARN runtime: 48211 goroutines, memory pressure rising'],
    metrics: { 'shop go_goroutines': [120, 48_000], 'shop container_memory_rss_mb': [200, 900] },
    commits: {
      'shop src/shop/notify.go':
        ' func (n *Notifier) Send(m Message) {\n-\tn.deliver(m)\n+\tgo func() {\n+\t\tn.results <- n.deliver(m)\n+\t}()',
    },
  },
  'pattern that backtracks': {
    metrics: { 'shop process_cpu_utilization': [0.2, 0.99], 'shop http_p99_ms': [40, 9_000] },
    errors: ['shop WARN slow request: validate took 8100ms'],
    commits: {
      'shop src/shop/validate.js':
        "-const NAME = new RegExp('^[a-z0-9-]+$');\n+const NAME = new RegExp('^([a-z0-9]+-?)+$');",
    },
  },
  'request after request instead of all at once': {
    metrics: { 'shop http_server_duration_p99_ms': [200, 3_400] },
    errors: ['web WARN upstream shop slow, budget exceeded'],
    calls: ['web>shop'],
    commits: {
      'shop src/shop/prices.ts':
        '-  const prices = await Promise.all(items.map((item) => client.price(item)));\n+  const prices = [];\n+  for (const item of items) {\n+    prices.push(await client.price(item));\n+  }',
    },
  },
  'queries in a loop, python': {
    metrics: { 'shop http_server_duration_p99_ms': [200, 3_400], 'shop db_queries_per_request': [2, 80] },
    commits: {
      'shop src/shop/views.py':
        '-    products = Product.objects.filter(id__in=ids)\n+    products = []\n+    for product_id in ids:\n+        products.append(session.query(Product).get(product_id))',
    },
  },
  'rate limit lowered': {
    errors: ['shop WARN 429 too many requests: limit exceeded for client'],
    commits: { 'shop config/gateway.yaml': ' rate_limit:\n-  requests_per_second: 500\n+  requests_per_second: 20' },
  },
  'message size lowered': {
    errors: [
      'shop ERROR rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5242880 vs. 1048576)',
    ],
    commits: {
      'shop src/shop/server.go': '-\tgrpc.MaxRecvMsgSize(16 * 1024 * 1024),\n+\tgrpc.MaxRecvMsgSize(1 * 1024 * 1024),',
    },
  },
  'label with a value for each user': {
    errors: ['shop WARN metrics registry: too many time series (412000), memory rising'],
    metrics: { 'shop container_memory_rss_mb': [200, 900] },
    commits: {
      'shop src/shop/metrics.go':
        '-\trequests.WithLabelValues(route).Inc()\n+\trequests.WithLabelValues(route, userID).Inc()',
    },
  },
  'poll interval of a consumer lowered': {
    errors: [
      'shop WARN consumer poll timeout has expired; group is rebalancing',
      'shop ERROR commit failed: partitions revoked, consumer lag rising',
    ],
    metrics: { 'shop consumer_lag': [10, 50_000] },
    commits: {
      'shop src/main/resources/consumer.properties': '-max.poll.interval.ms=300000\n+max.poll.interval.ms=5000',
    },
  },
  'isolation gone': {
    errors: [
      'shop ERROR duplicate charge detected for order',
      'shop ERROR duplicate key value violates unique constraint',
    ],
    commits: {
      'shop src/shop/ChargeService.java':
        '-    @Transactional(isolation = Isolation.SERIALIZABLE)\n     public Receipt charge(Order order) {',
    },
  },
  'token audience changed': {
    errors: ['shop WARN 401 unauthorized: invalid token audience'],
    commits: {
      'shop src/shop/auth.ts':
        "-  verify(token, key, { audience: 'shop-web' });\n+  verify(token, key, { audience: 'shop-internal' });",
    },
  },
  'cache lives shorter, typescript': {
    metrics: { 'shop cache_hit_ratio': [0.95, 0.2], 'db queries_per_second': [100, 900] },
    calls: ['shop>db'],
    commits: { 'shop src/shop/cache.ts': '-const CACHE_TTL_SECONDS = 3600;\n+const CACHE_TTL_SECONDS = 5;' },
  },
  'an error that the commit itself raises': {
    errors: ['shop ERROR EntryError: entry 17 was written by layout 3, this reader expects 4'],
    commits: {
      'shop src/shop/entry.go':
        '-\tif layout < entryLayout {\n-\t\treturn upgrade(id, raw)\n+\tif layout != entryLayout {\n+\t\treturn nil, &EntryError{fmt.Sprintf("entry %s was written by layout %d, this reader expects %d", id, layout, entryLayout)}\n \t}',
    },
  },
  'a lease that ends too early': {
    errors: ['shop ERROR LeaseExpired: lease expired before commit'],
    commits: { 'shop src/shop/lease.go': '-\tleaseTTL = 30 * time.Second\n+\tleaseTTL = 300 * time.Millisecond' },
  },
  'leak hours before anyone noticed': {
    metrics: { 'shop process_resident_memory_bytes': [2e8, 9e8] },
    errors: ['shop ERROR out of memory: killed process'],
    commits: {
      'shop src/shop/audit.py':
        ' import time\n+SEEN = {}\n \n def record(event):\n+    SEEN[event.id] = event\n     publish(event)',
    },
  },
};

describe('the commit whose diff does what is seen is named, among decoys deployed after it', () => {
  test.each(Object.entries(GUILTY))('%s', (_, incident) => {
    const { ranked, isConvincing, outside } = judgeIncident({
      ...incident,
      commits: { ...incident.commits, ...DECOYS },
    });
    expect({ first: ranked[0]?.sha, isConvincing, score: ranked[0]?.score, outside }).toMatchObject({
      first: '0'.repeat(40),
      isConvincing: true,
    });
  });
});

/** Changes that could have done harm, but not this. */
const INNOCENT: Readonly<Record<string, string>> = {
  ...DECOYS,
  'shop pkg/httpclient/client.go':
    '-\ttr := &http.Transport{MaxIdleConns: 100}\n+\ttr := &http.Transport{\n+\t\tMaxIdleConns:    200,\n+\t\tIdleConnTimeout: 90 * time.Second,\n+\t}',
  'shop src/shop/tls.go':
    '-\tcfg := &tls.Config{MinVersion: tls.VersionTLS12}\n+\tcfg := newTLSConfig(tls.VersionTLS12)',
  'shop src/shop/retry.go': '-\tMaxAttempts: 2,\n+\tMaxAttempts: 3,',
};

const OUTSIDE: Readonly<Record<string, Omit<IncidentWords, 'commits'>>> = {
  certificate: {
    errors: [
      'shop ERROR x509: certificate has expired or is not yet valid: current time is after 2026-06-24',
      'web ERROR upstream shop tls handshake failed',
    ],
  },
  surge: {
    metrics: {
      'web requests_per_sec': [400, 2_400],
      'shop requests_per_sec': [300, 1_900],
      'shop http_p99_ms': [80, 3_000],
      'shop cpu_utilization': [0.3, 0.99],
    },
    errors: ['shop WARN request queue full, shedding load'],
    calls: ['web>shop'],
  },
  node: {
    errors: [
      'kube ERROR node ip-10-0-3-4 NotReady: kubelet stopped posting node status',
      'shop WARN evicting pod shop-7',
      'shop ERROR connection refused',
    ],
  },
  cloud: {
    errors: [
      'shop ERROR PutObject https://bucket.s3.us-east-1.amazonaws.com: 503 Service Unavailable',
      'shop ERROR upload failed: internal server error from s3',
    ],
  },
  provider: { errors: ['shop ERROR POST https://api.payments.example-pay.com/v1/charge returned 503'] },
  names: {
    errors: [
      'shop ERROR getaddrinfo ENOTFOUND smtp.mailer.com',
      'dns ERROR SERVFAIL: no upstream nameservers reachable',
    ],
  },
  'bad record': {
    repeated: [
      'shop ERROR record validation error: price out of range; record_id=evt-8f3a2174 offset=148820291; redelivering',
    ],
  },
};

describe('nobody is named where something outside the code explains it', () => {
  test.each(Object.entries(OUTSIDE))('%s', (_, incident) => {
    const { ranked, isConvincing, outside } = judgeIncident({ ...incident, commits: INNOCENT });
    expect({ isConvincing, best: ranked[0] }).toMatchObject({ isConvincing: false });
    expect(outside).toBeDefined();
  });
});

describe('when a commit ran', () => {
  const incident = GUILTY['memory limit lowered'];
  const [[key = '', body = ''] = []] = Object.entries(incident?.commits ?? {});

  test('what was deployed after the trouble began is not named', () => {
    const late = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`shop docs/${index}.md`, '+more']));
    const { ranked, isConvincing } = judgeIncident({ ...incident, commits: { ...late, [key]: body } });
    expect(isConvincing).toBe(false);
    expect(ranked.every(({ score }) => score < 0.1)).toBe(true);
  });
});

test('a hostile diff costs time in proportion to its length', () => {
  const lines = ['-', '+'].map((sign) => `${sign}${'a.b("c:d_e",'.repeat(30)}\n`.repeat(250)).join('');
  const startedMs = performance.now();
  judgeIncident({
    errors: ['shop ERROR timeout'],
    commits: { 'shop a.ts': lines, 'shop b.ts': `+${'[(<{"\'`'.repeat(25_000)}` },
  });
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});
