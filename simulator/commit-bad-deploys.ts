/** The commits behind bad deploys: for each way to fail one small mistake in each runtime, in the words of its errors. Data only. */
import type { CommitTemplate } from './commit-diff.ts';
import type { Runtime } from './shop-model.ts';

/** A local cache whose reader was moved on while entries of the old schema live; leases that end too early; a field left out. */
export type DeployMistake = 'cache-schema' | 'short-lease' | 'unmapped-field';

export const BAD_DEPLOYS: Readonly<Record<DeployMistake, Readonly<Record<Runtime, CommitTemplate>>>> = {
  'cache-schema': {
    jvm: {
      subject: '{svc}: read the new entry layout from the local cache',
      patches: [
        {
          path: 'src/main/java/com/shop/{svc}/cache/EntryReader.java',
          line: 31,
          heading: 'final class EntryReader {',
          body: `
-  private static final int SCHEMA = 3;
+  private static final int SCHEMA = 4;

   Entry read(CacheKey key, ByteBuffer bytes) {
     int schema = bytes.getInt();
-    if (schema < SCHEMA) return upgrade(key, bytes, schema);
+    if (schema != SCHEMA) {
+      throw new CacheEntryError("entry " + key + " has schema " + schema + ", reader expects " + SCHEMA);
+    }
     return Entry.decode(bytes);`,
        },
      ],
    },
    go: {
      subject: 'cache: drop the upgrade path for old entries',
      patches: [
        {
          path: 'internal/cache/entry.go',
          line: 22,
          heading: 'func decodeEntry(key string, raw []byte) (*Entry, error) {',
          body: `
-const entrySchema = 3
+const entrySchema = 4

 	schema := int(raw[0])
-	if schema < entrySchema {
-		return upgradeEntry(key, raw, schema)
+	if schema != entrySchema {
+		return nil, &CacheEntryError{fmt.Sprintf("entry %s has schema %d, reader expects %d", key, schema, entrySchema)}
 	}
 	return unmarshalEntry(raw[1:])`,
        },
      ],
    },
    nodejs: {
      subject: 'refactor: one schema for local cache entries',
      patches: [
        {
          path: 'src/cache/read-entry.js',
          line: 9,
          heading: 'function readEntry(id, entry) {',
          body: `
-const SCHEMA = 3;
+const SCHEMA = 4;

 function readEntry(id, entry) {
-  if (entry.schema < SCHEMA) return upgradeEntry(entry);
+  if (entry.schema !== SCHEMA) {
+    throw new CacheEntryError(\`entry \${id} has schema \${entry.schema}, reader expects \${SCHEMA}\`);
+  }
   return entry.value;`,
        },
      ],
    },
    python: {
      subject: 'cache: entries are schema 4 now',
      patches: [
        {
          path: '{svc}/cache/entries.py',
          line: 14,
          heading: 'def read_entry(key, entry):',
          body: `
-SCHEMA = 3
+SCHEMA = 4


 def read_entry(key, entry):
-    if entry["schema"] < SCHEMA:
-        entry = upgrade(entry)
+    if entry["schema"] != SCHEMA:
+        raise CacheEntryError(f"entry {key} has schema {entry['schema']}, reader expects {SCHEMA}")
     return entry["value"]`,
        },
      ],
    },
  },
  'short-lease': {
    jvm: {
      subject: '{op}: shorter leases, so that a lost holder blocks nobody',
      patches: [
        {
          path: 'src/main/java/com/shop/{svc}/LeaseConfig.java',
          line: 12,
          heading: 'public record LeaseConfig(',
          body: `
   static LeaseConfig defaults() {
-    return new LeaseConfig(Duration.ofSeconds(30), Duration.ofSeconds(10));
+    return new LeaseConfig(Duration.ofMillis(300), Duration.ofMillis(250));
   }

+  /** Throws LeaseExpiredError when the lease expired before commit. */
   void check(Lease lease, Instant commitAt) {`,
        },
      ],
    },
    go: {
      subject: 'lease: lower ttl from 30s to 300ms',
      patches: [
        {
          path: 'internal/lease/lease.go',
          line: 17,
          heading: 'type Lease struct {',
          body: `
 const (
-	leaseTTL    = 30 * time.Second
-	renewBefore = 10 * time.Second
+	leaseTTL    = 300 * time.Millisecond
+	renewBefore = 50 * time.Millisecond
 )

 // Commit fails with LeaseExpiredError when the lease expired before commit.
 func (l *Lease) Commit(ctx context.Context) error {`,
        },
      ],
    },
    nodejs: {
      subject: 'perf: do not hold leases longer than needed',
      patches: [
        {
          path: 'src/lease.js',
          line: 5,
          heading: 'class Lease {',
          body: `
-const LEASE_TTL_MS = 30_000;
-const RENEW_EVERY_MS = 10_000;
+const LEASE_TTL_MS = 300;
+const RENEW_EVERY_MS = 250;

   commit(lease, now) {
     const late = now - lease.expiresAt;
     if (late > 0) throw new LeaseExpiredError(\`lease \${lease.id} expired \${late} ms before commit\`);`,
        },
      ],
    },
    python: {
      subject: 'lease: expire after 0.3 s instead of 30 s',
      patches: [
        {
          path: '{svc}/lease.py',
          line: 8,
          heading: 'class Lease:',
          body: `
-    lease_ttl_s = 30
-    renew_every_s = 10
+    lease_ttl_s = 0.3
+    renew_every_s = 0.25

     def commit(self, now):
         if now > self.expires_at:
             raise LeaseExpiredError(f"lease {self.id} expired {self.late_ms(now)} ms before commit")`,
        },
      ],
    },
  },
  'unmapped-field': {
    jvm: {
      subject: '{op}: generate the request mapping from the schema',
      patches: [
        {
          path: 'src/main/java/com/shop/{svc}/RequestMapper.java',
          line: 40,
          heading: 'Mapped {op}(Request request) {',
          body: `
   static final Map<String, Setter> FIELDS = Map.of(
       "customer", Mapped::setCustomer,
-      "channel", Mapped::setChannel,
       "region", Mapped::setRegion);

     for (String field : request.fields()) {
-      if (!FIELDS.containsKey(field)) continue;
+      if (!FIELDS.containsKey(field)) {
+        throw new UnsupportedFieldError("field '" + field + "' of request " + request.id() + " is not mapped");
+      }`,
        },
      ],
    },
    go: {
      subject: 'mapping: refuse fields that nobody maps',
      patches: [
        {
          path: 'internal/mapping/request.go',
          line: 28,
          heading: 'func map{op}(req *Request) (*Mapped, error) {',
          body: `
 var fields = map[string]setter{
 	"customer": setCustomer,
-	"channel":  setChannel,
 	"region":   setRegion,
 }
 	for name, value := range req.Fields {
 		set, ok := fields[name]
 		if !ok {
-			continue
+			return nil, &UnsupportedFieldError{fmt.Sprintf("field '%s' of request %s is not mapped", name, req.ID)}
 		}`,
        },
      ],
    },
    nodejs: {
      subject: 'feat: strict request mapping in {op}',
      patches: [
        {
          path: 'src/map-request.js',
          line: 11,
          heading: 'function {op}(request) {',
          body: `
 const FIELDS = {
   customer: (mapped, value) => { mapped.customer = value; },
-  channel: (mapped, value) => { mapped.channel = value; },
   region: (mapped, value) => { mapped.region = value; },
 };
   for (const [field, value] of Object.entries(request.fields)) {
-    FIELDS[field]?.(mapped, value);
+    if (!FIELDS[field]) throw new UnsupportedFieldError(\`field '\${field}' of request \${request.id} is not mapped\`);
+    FIELDS[field](mapped, value);
   }`,
        },
      ],
    },
    python: {
      subject: 'mapping: fail on fields we do not know',
      patches: [
        {
          path: '{svc}/mapping.py',
          line: 19,
          heading: 'def {op}(request):',
          body: `
 FIELDS = {
     "customer": set_customer,
-    "channel": set_channel,
     "region": set_region,
 }
     for field, value in request.fields.items():
-        if field in FIELDS:
-            FIELDS[field](mapped, value)
+        if field not in FIELDS:
+            raise UnsupportedFieldError(f"field '{field}' of request {request.id} is not mapped")
+        FIELDS[field](mapped, value)`,
        },
      ],
    },
  },
};
