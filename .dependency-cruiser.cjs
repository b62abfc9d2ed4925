// The whole architecture in one table: folder -> the folders it may import. docs/architecture.md is generated from it.
const ABOVE_ENGINE = ['clickhouse', 'context-store', 'domain', 'platform'];
const MAY_IMPORT = {
  platform: [],
  domain: ['platform'],
  api: ['domain', 'platform'],
  clickhouse: ['domain', 'platform'],
  'context-store': ['domain', 'platform'],
  llm: ['domain', 'platform'],
  simulator: ['domain', 'platform'],
  tools: ABOVE_ENGINE,
  ingest: ['clickhouse', 'domain', 'platform'],
  detection: ABOVE_ENGINE,
  agents: ['tools', 'llm', 'context-store', 'domain', 'platform'],
  graph: ['agents', 'tools', 'llm', 'context-store', 'domain', 'platform'],
  runtime: ['graph', 'agents', 'tools', 'llm', 'detection', 'ingest', ...ABOVE_ENGINE],
  mcp: ['runtime', 'api', 'tools', 'domain', 'platform'],
  evals: ['runtime', 'api', 'graph', 'tools', 'detection', 'ingest', 'simulator', 'llm', 'domain', 'platform'],
  bench: ['runtime', 'api', 'ingest', 'detection', 'simulator', ...ABOVE_ENGINE],
  apps: [
    'runtime',
    'api',
    'mcp',
    'graph',
    'tools',
    'ingest',
    'detection',
    'evals',
    'bench',
    'simulator',
    'domain',
    'platform',
  ],
};
// A driver is touched from one place only, so replacing it is a one-folder change.
const CAGED = {
  '@clickhouse/client|chdb': ['clickhouse'],
  'ioredis|redlock': ['context-store'],
  kafkajs: ['ingest'],
  '@grpc/grpc-js': ['ingest'],
  '@langchain/langgraph': ['graph'],
  '@langchain/(core|openai)': ['llm', 'agents', 'graph'],
  '@modelcontextprotocol/sdk': ['mcp'],
  'hono|@hono/node-server': ['apps/server'],
};
const FOLDERS = Object.keys(MAY_IMPORT);
const TESTS = '\\.(test|contract|fixture)\\.ts$';

const layerRules = FOLDERS.map((folder) => {
  const forbidden = FOLDERS.filter((other) => other !== folder && !MAY_IMPORT[folder].includes(other));
  return {
    name: `${folder}-may-import`,
    severity: 'error',
    from: { path: `^${folder}/`, pathNot: TESTS },
    to: { path: `^(${forbidden.join('|')})/` },
  };
});
const cageRules = Object.entries(CAGED).map(([packages, homes]) => ({
  name: `caged: ${packages}`,
  severity: 'error',
  from: { pathNot: [`^(${homes.join('|')})/`, TESTS, 'node_modules'] },
  to: { path: `node_modules/(${packages})/` },
}));

module.exports = {
  MAY_IMPORT,
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: [TESTS, '\\.d\\.ts$', '^vitest\\.config\\.ts$'] },
      to: {},
    },
    { name: 'no-tests-in-production', severity: 'error', from: { pathNot: TESTS }, to: { path: TESTS } },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'agents-never-import-each-other',
      severity: 'error',
      from: { path: '^agents/([a-z]+)-agent\\.ts$' },
      to: { path: '^agents/[a-z]+-agent\\.ts$', pathNot: '^agents/$1-agent\\.ts$' },
    },
    {
      name: 'apps-never-import-each-other',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: TESTS },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    ...layerRules,
    ...cageRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
