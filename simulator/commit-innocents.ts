/** Commits that do no harm, as most do: refactorings, logging, documentation, tests, newer packages, features nobody uses yet. Data only. */
import type { CommitTemplate } from './commit-diff.ts';
import type { Runtime } from './shop-model.ts';

const README: CommitTemplate = {
  subject: 'docs: how to run {svc} locally',
  patches: [
    {
      path: 'README.md',
      line: 18,
      body: `
 ## Development

-Ask in the team channel for credentials.
+Run \`make up\`, then \`make seed\`. Credentials of the sandbox are in the team vault.
+See docs/runbook.md for what to do when you are on call.
 `,
    },
  ],
};
const PIPELINE: CommitTemplate = {
  subject: 'ci: cache packages between builds',
  patches: [
    {
      path: '.github/workflows/build.yaml',
      line: 14,
      body: `
     steps:
       - uses: actions/checkout@v4
+      - uses: actions/cache@v4
+        with:
+          path: ~/.cache
+          key: build-\${{ hashFiles('**/*.lock') }}
       - run: make build`,
    },
  ],
};

const BY_RUNTIME: Readonly<Record<Runtime, readonly CommitTemplate[]>> = {
  jvm: [
    {
      subject: 'refactor: name the summary after what it holds',
      patches: [
        {
          path: 'src/main/java/com/shop/{svc}/{Svc}Summary.java',
          line: 21,
          heading: 'final class {Svc}Summary {',
          body: `
-  private String describe(Item item) {
-    return item.title() + " (" + item.brand() + ")";
+  private String headline(Item item) {
+    return item.title() + " (" + item.brand() + ")";
   }`,
        },
      ],
    },
    {
      subject: 'log the build number at start',
      patches: [
        {
          path: 'src/main/java/com/shop/{svc}/Application.java',
          line: 15,
          heading: 'public static void main(String[] args) {',
          body: `
     var context = SpringApplication.run(Application.class, args);
+    log.info("Started {svc}, build {}", BuildInfo.number());
     context.registerShutdownHook();`,
        },
      ],
    },
    {
      subject: 'build: bump assertj from 3.25.1 to 3.25.3',
      patches: [
        {
          path: 'pom.xml',
          line: 88,
          body: `
       <artifactId>assertj-core</artifactId>
-      <version>3.25.1</version>
+      <version>3.25.3</version>
       <scope>test</scope>`,
        },
      ],
    },
    {
      subject: 'add a badge for new arrivals (not shown yet)',
      patches: [
        {
          path: 'src/main/java/com/shop/{svc}/Badge.java',
          line: 9,
          heading: 'public enum Badge {',
          body: `
   SALE("sale"),
-  BESTSELLER("bestseller");
+  BESTSELLER("bestseller"),
+  NEW_ARRIVAL("new");`,
        },
      ],
    },
  ],
  go: [
    {
      subject: 'rename receiver, no change in behaviour',
      patches: [
        {
          path: 'internal/format/title.go',
          line: 11,
          body: `
-func (self Title) String() string {
-	return strings.TrimSpace(self.text)
+func (t Title) String() string {
+	return strings.TrimSpace(t.text)
 }`,
        },
      ],
    },
    {
      subject: 'go.mod: testify v1.9.0',
      patches: [
        {
          path: 'go.mod',
          line: 12,
          body: `
 require (
-	github.com/stretchr/testify v1.8.4
+	github.com/stretchr/testify v1.9.0
 )`,
        },
      ],
    },
    {
      subject: 'say which version starts',
      patches: [
        {
          path: 'cmd/{svc}/main.go',
          line: 19,
          heading: 'func main() {',
          body: `
 	logger := newLogger()
+	logger.Info("starting {svc}", "version", version.String())
 	srv := server.New(logger)`,
        },
      ],
    },
    {
      subject: 'test: names with umlauts',
      patches: [
        {
          path: 'internal/format/title_test.go',
          line: 30,
          heading: 'func TestTitle(t *testing.T) {',
          body: `
 	cases := []string{
 		"Oak desk",
+		"Kühltasche",
+		"Ålesund blanket",
 	}`,
        },
      ],
    },
  ],
  nodejs: [
    {
      subject: 'refactor: use a template string for the page title',
      patches: [
        {
          path: 'src/views/page-title.js',
          line: 4,
          heading: 'export function pageTitle(page) {',
          body: `
-  return page.name + ' - Shop';
+  return \`\${page.name} - Shop\`;
 }`,
        },
      ],
    },
    {
      subject: 'chore(deps): bump eslint to 9.4.0',
      patches: [
        {
          path: 'package.json',
          line: 31,
          body: `
   "devDependencies": {
-    "eslint": "9.3.0",
+    "eslint": "9.4.0",
     "prettier": "3.2.5"`,
        },
      ],
    },
    {
      subject: 'feat: compact header for small screens (unused)',
      patches: [
        {
          path: 'src/views/header.js',
          line: 7,
          heading: 'export const layouts = {',
          body: `
   wide: { columns: 12, logo: 'full' },
+  compact: { columns: 4, logo: 'mark' },
 };`,
        },
      ],
    },
    {
      subject: 'docs: comment on the order of middlewares',
      patches: [
        {
          path: 'src/server.js',
          line: 26,
          heading: 'export function createServer() {',
          body: `
+  // The request id comes first: everything after it writes it down.
   app.use(requestId());
   app.use(tracing());`,
        },
      ],
    },
  ],
  python: [
    {
      subject: 'type hints for the report module',
      patches: [
        {
          path: '{svc}/report.py',
          line: 12,
          body: `
-def daily_report(day):
+def daily_report(day: date) -> Report:
     """Rows of the report that is mailed every morning."""`,
        },
      ],
    },
    {
      subject: 'requirements: ruff 0.4.4',
      patches: [
        {
          path: 'requirements-dev.txt',
          line: 3,
          body: `
 pytest==8.2.0
-ruff==0.4.1
+ruff==0.4.4
 mypy==1.10.0`,
        },
      ],
    },
    {
      subject: 'log the model name once at start',
      patches: [
        {
          path: '{svc}/main.py',
          line: 22,
          heading: 'def create_app():',
          body: `
     app = FastAPI()
+    logger.info("serving with model %s", settings.model_name)
     app.include_router(router)`,
        },
      ],
    },
    {
      subject: 'notebook: plot of last month',
      patches: [
        {
          path: 'notebooks/evaluation.py',
          line: 40,
          body: `
 frame = load("2025-11")
-plot(frame, title="November")
+frame = load("2025-12")
+plot(frame, title="December")`,
        },
      ],
    },
  ],
};

export function innocentTemplates(runtime: Runtime): readonly CommitTemplate[] {
  return [...BY_RUNTIME[runtime], README, PIPELINE];
}
