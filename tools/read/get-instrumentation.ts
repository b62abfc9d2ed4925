/** What each service tells of itself, and whom it calls that tells nothing: the facts behind "what is missing". */
import { z } from 'zod';
import { serviceInstrumentationSchema } from '../../domain/instrumentation-gaps.ts';
import { defineTool, describeWindow } from '../tool.ts';
import { cutRows, cutShape, rounded, windowInput } from '../tool-shapes.ts';

/** Metrics that speak about resources, as the semantic conventions and common receivers name them. */
const RESOURCE_METRICS =
  'cpu|memory|heap|gc\\b|pool|connection|threads?\\b|filesystem|disk|restarts?|limit|^(postgres|mysql|mariadb|mongo|redis|valkey|kafka|rabbit|memcache|elastic|opensearch)';
const MAX_METRICS = 30;

export const getInstrumentation = defineTool({
  name: 'get_instrumentation',
  title: 'Instrumentation',
  description:
    'For each service how many spans, log lines and metric points it sent, whether log lines name their trace, whether spans find ' +
    'their parents, which resource metrics, versions and instances it tells; and which called peers send nothing at all.',
  input: z.object({ window: windowInput }),
  output: z.object({
    services: z.array(serviceInstrumentationSchema),
    /** Called, but silent: dependencies and providers without telemetry of their own. */
    peers: z.array(z.object({ caller: z.string(), peer: z.string() })),
    ...cutShape,
  }),
  effect: 'read',
  limits: { maxRows: 500, timeoutMs: 20_000, maxTokens: 20_000 },
  run: async ({ window }, context, limits) => {
    const bounds = { maxRows: limits.maxRows, timeoutMs: limits.timeoutMs, signal: context.signal };
    const { instrumentation, services } = context.telemetry;
    const facts = await instrumentation.readInstrumentation({ window, metricNames: RESOURCE_METRICS }, bounds);
    const graph = await services.readGraph({ window }, bounds);
    const told = facts.rows.map(({ versionedShare, instanceShare, metrics, ...row }) => ({
      ...row,
      metrics: metrics.slice(0, MAX_METRICS),
      versionedShare: rounded(versionedShare),
      instanceShare: rounded(instanceShare),
    }));
    const { rows, ...cut } = cutRows(told, limits);
    return {
      output: {
        services: rows,
        peers: graph.rows
          .filter(({ kind }) => kind === 'external')
          .map(({ caller, callee }) => ({ caller, peer: callee })),
        ...cut,
      },
      queries: [facts.query, graph.query],
      window,
      summary: `What ${facts.rows.length} services tell of themselves, ${describeWindow(window)}.`,
    };
  },
});
