/** The commits behind flags that do harm: the flag's own line, and the code path that it opens, in each runtime. Data only. */
import type { CommitTemplate, Patch } from './commit-diff.ts';
import type { Runtime } from './shop-model.ts';

export type HarmfulFlag = 'batched-lookups' | 'strict-currency' | 'eager-prefetch';

export const HARMFUL_FLAGS: Readonly<Record<HarmfulFlag, Readonly<Record<Runtime, CommitTemplate>>>> = {
  'batched-lookups': open('batched-lookups', {
    jvm: {
      path: 'src/main/java/com/shop/{svc}/BatchedLookup.java',
      line: 26,
      heading: 'Result {op}(List<Key> keys) {',
      body: `
+    if (flags.isOn("batched-lookups")) {
+      if (keys.size() > MAX_KEYS) {
+        throw new BatchSizeError("batch " + id + " has " + keys.size() + " keys, at most 64 are served");
+      }
+      return store.lookupAll(keys);
+    }
     for (Key key : keys) found.add(store.lookup(key));`,
    },
    go: {
      path: 'internal/lookup/batch.go',
      line: 33,
      heading: 'func (s *Server) {op}(ctx context.Context, keys []Key) (*Result, error) {',
      body: `
+	if s.flags.On("batched-lookups") {
+		if len(keys) > maxKeys {
+			return nil, &BatchSizeError{fmt.Sprintf("batch %s has %d keys, at most 64 are served", id, len(keys))}
+		}
+		return s.store.LookupAll(ctx, keys)
+	}
 	for _, key := range keys {`,
    },
    nodejs: {
      path: 'src/lookup.js',
      line: 18,
      heading: 'async function {op}(keys) {',
      body: `
+  if (flags.isOn('batched-lookups')) {
+    if (keys.length > MAX_KEYS) {
+      throw new BatchSizeError(\`batch \${id} has \${keys.length} keys, at most 64 are served\`);
+    }
+    return store.lookupAll(keys);
+  }
   return Promise.all(keys.map((key) => store.lookup(key)));`,
    },
    python: {
      path: '{svc}/lookup.py',
      line: 21,
      heading: 'def {op}(keys):',
      body: `
+    if flags.is_on("batched-lookups"):
+        if len(keys) > MAX_KEYS:
+            raise BatchSizeError(f"batch {batch.id} has {len(keys)} keys, at most 64 are served")
+        return store.lookup_all(keys)
     return [store.lookup(key) for key in keys]`,
    },
  }),
  'strict-currency': open('strict-currency', {
    jvm: {
      path: 'src/main/java/com/shop/{svc}/Amounts.java',
      line: 17,
      heading: 'Amount {op}(Amount amount) {',
      body: `
+    if (flags.isOn("strict-currency") && amount.currency() == null) {
+      throw new CurrencyMismatchError("amount " + amount.id() + " has no currency, strict mode refuses it");
+    }
     return amount.withCurrency(Currencies.DEFAULT);`,
    },
    go: {
      path: 'internal/money/amount.go',
      line: 24,
      heading: 'func (s *Server) {op}Amount(a Amount) (Amount, error) {',
      body: `
+	if s.flags.On("strict-currency") && a.Currency == "" {
+		return a, &CurrencyMismatchError{fmt.Sprintf("amount %s has no currency, strict mode refuses it", a.ID)}
+	}
 	a.Currency = orDefault(a.Currency)`,
    },
    nodejs: {
      path: 'src/amounts.js',
      line: 12,
      heading: 'function {op}(amount) {',
      body: `
+  if (flags.isOn('strict-currency') && !amount.currency) {
+    throw new CurrencyMismatchError(\`amount \${amount.id} has no currency, strict mode refuses it\`);
+  }
   return { ...amount, currency: amount.currency ?? DEFAULT_CURRENCY };`,
    },
    python: {
      path: '{svc}/amounts.py',
      line: 10,
      heading: 'def {op}(amount):',
      body: `
+    if flags.is_on("strict-currency") and not amount.currency:
+        raise CurrencyMismatchError(f"amount {amount.id} has no currency, strict mode refuses it")
     amount.currency = amount.currency or DEFAULT_CURRENCY`,
    },
  }),
  'eager-prefetch': open('eager-prefetch', {
    jvm: {
      path: 'src/main/java/com/shop/{svc}/PrefetchWindow.java',
      line: 44,
      heading: 'void {op}(Cursor cursor) {',
      body: `
+    if (flags.isOn("eager-prefetch")) window.fill(cursor.upcoming());
+    if (window.size() > CAPACITY) {
+      throw new PrefetchOverflowError("prefetch window " + id + " overflowed after " + window.size() + " entries");
+    }
     window.add(cursor.next());`,
    },
    go: {
      path: 'internal/prefetch/window.go',
      line: 37,
      heading: 'func (w *Window) {op}(ctx context.Context, c *Cursor) error {',
      body: `
+	if w.flags.On("eager-prefetch") {
+		w.entries = append(w.entries, c.Upcoming(ctx)...)
+	}
+	if len(w.entries) > capacity {
+		return &PrefetchOverflowError{fmt.Sprintf("prefetch window %s overflowed after %d entries", w.id, len(w.entries))}
+	}
 	return w.add(c.Next(ctx))`,
    },
    nodejs: {
      path: 'src/prefetch-window.js',
      line: 29,
      heading: 'async {op}(cursor) {',
      body: `
+    if (flags.isOn('eager-prefetch')) this.entries.push(...(await cursor.upcoming()));
+    if (this.entries.length > CAPACITY) {
+      throw new PrefetchOverflowError(\`prefetch window \${this.id} overflowed after \${this.entries.length} entries\`);
+    }
     this.entries.push(await cursor.next());`,
    },
    python: {
      path: '{svc}/prefetch.py',
      line: 31,
      heading: 'def {op}(self, cursor):',
      body: `
+        if flags.is_on("eager-prefetch"):
+            self.entries.extend(cursor.upcoming())
+        if len(self.entries) > CAPACITY:
+            raise PrefetchOverflowError(f"prefetch window {self.id} overflowed after {len(self.entries)} entries")
         self.entries.append(cursor.next())`,
    },
  }),
};

function open(flag: HarmfulFlag, code: Readonly<Record<Runtime, Patch>>): Readonly<Record<Runtime, CommitTemplate>> {
  const flip: Patch = {
    path: 'flags/production.yaml',
    line: 52,
    heading: '{svc}:',
    body: `
   ${flag}:
-    enabled: false
-    rollout_percent: 0
+    enabled: true
+    rollout_percent: 50
     owner: team-{svc}`,
  };
  const withCode = (patch: Patch): CommitTemplate => ({
    subject: `{svc}: roll out ${flag} to half of the users`,
    patches: [patch, flip],
  });
  return {
    jvm: withCode(code.jvm),
    go: withCode(code.go),
    nodejs: withCode(code.nodejs),
    python: withCode(code.python),
  };
}
