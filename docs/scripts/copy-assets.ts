/** The last step of `npm run build`: files that the code reads by URL go to the same places in dist/. */
import { cpSync } from 'node:fs';

cpSync('clickhouse/migrations', 'dist/clickhouse/migrations', { recursive: true });
cpSync('context-store/scripts', 'dist/context-store/scripts', { recursive: true });
