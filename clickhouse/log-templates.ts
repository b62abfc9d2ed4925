/** What is known of log templates, kept with the telemetry: every id ever given out, and what it stands for now. */
import type { TemplateAlias } from '../domain/log-templates/template-groups.ts';
import type { Database } from './database.ts';

export interface StoredTemplate {
  readonly service: string;
  readonly id: string;
  readonly tokens: readonly string[];
  /** Decimal, as in TemplateAlias. */
  readonly version: string;
  /** Server's time, Unix milliseconds. */
  readonly storedAtMs: number;
}

export interface TemplateStore {
  /** One entry for each id that was stored at or after `sinceMs` (0: all), by whomever. */
  load(sinceMs: number, signal?: AbortSignal): Promise<StoredTemplate[]>;
  /** May be repeated: entries replace each other, the greatest version wins. */
  save(service: string, aliases: readonly TemplateAlias[], signal?: AbortSignal): Promise<void>;
}

/** Some hundred services with as many templates as each may have. */
const MAX_TEMPLATES = 500_000;

const LOAD = `
SELECT ServiceName AS service, Id AS id, any(Shape) AS tokens, toString(max(Version)) AS version,
  toFloat64(toUnixTimestamp64Milli(max(StoredAt))) AS storedAtMs
FROM inquest_log_templates
WHERE StoredAt >= fromUnixTimestamp64Milli({sinceMs:Int64})
GROUP BY service, id
ORDER BY service, id`;

export function createTemplateStore(database: Pick<Database, 'read' | 'insert'>): TemplateStore {
  return {
    load: async (sinceMs, signal) => {
      const options = { tag: 'templates.load', maxRows: MAX_TEMPLATES, signal };
      const { rows } = await database.read<StoredTemplate>(LOAD, { sinceMs }, options);
      return [...rows];
    },
    save: async (service, aliases, signal) => {
      const rows = aliases.map(({ id, tokens, templateId, text, version }) => ({
        ServiceName: service,
        Id: id,
        TemplateId: templateId,
        Text: text,
        Shape: tokens,
        Version: version,
      }));
      await database.insert('inquest_log_templates', rows, signal, { repeatable: true });
    },
  };
}
