/** A runtime on an empty database of its own, for as long as some work takes. */
import { loadProcessConfig } from '../platform/config.ts';
import { withTemporaryDirectory } from '../platform/with-temporary-directory.ts';
import { openRuntime, type Runtime, type RuntimeOptions } from '../runtime/open-runtime.ts';

export function withEmptyRuntime<T>(options: RuntimeOptions, work: (runtime: Runtime) => Promise<T>): Promise<T> {
  return withTemporaryDirectory('eval', async (dataDir) => {
    // Replayed history is older than any retention; its rows would vanish at insert.
    const config = loadProcessConfig({ INQUEST_DATA_DIR: dataDir, INQUEST_RETENTION_DAYS: '0', CLICKHOUSE_URL: '' });
    const runtime = await openRuntime(config, options);
    try {
      return await work(runtime);
    } finally {
      await runtime.close();
    }
  });
}
