/**
 * Gives each log line the id of its template as it arrives. What a batch teaches is stored before the batch is handed on, so
 * that every id in otel_logs can be resolved; what other processes learned is taken in from time to time, and then they agree.
 */
import type { StoredTemplate, TemplateStore } from '../clickhouse/log-templates.ts';
import type { LogRow, TelemetryRows } from '../clickhouse/telemetry-rows.ts';
import {
  createTemplateGroups,
  TEMPLATE_LIMITS,
  type TemplateAlias,
  type TemplateGroups,
  type TemplateLimits,
} from '../domain/log-templates/template-groups.ts';
import { tokenizeLine } from '../domain/log-templates/tokenize-line.ts';
import { AppError, errorMessage, UnavailableError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface TemplateMinerOptions {
  readonly store: TemplateStore;
  readonly logger: Logger;
  readonly limits?: TemplateLimits;
  /** Lines of services beyond so many are not mined but masked when they are read. */
  readonly maxServices?: number;
  /** How old the knowledge of what other processes learned may become while lines arrive. */
  readonly syncMs?: number;
}

export interface TemplateMiner {
  /** The rows with TemplateId filled. Rejects as the store does when something new could not be stored: mine them again later. */
  mine(rows: TelemetryRows, signal?: AbortSignal): Promise<TelemetryRows>;
  /** Takes in what others stored, and stores what follows from it. */
  sync(signal?: AbortSignal): Promise<void>;
  load(): TemplateMinerLoad;
}

export interface TemplateMinerLoad {
  readonly services: number;
  /** Shapes in memory. */
  readonly facts: number;
  /** Lines without an id, because their service, or the process, has no room for another template. */
  readonly unminedLines: number;
}

interface Service {
  readonly groups: TemplateGroups;
  /** By id. */
  readonly unsaved: Map<string, TemplateAlias>;
}

const MAX_SERVICES = 500;
const SYNC_MS = 30_000;
/** An insert of another process may become visible so long after its StoredAt. */
const OVERLAP_MS = 120_000;

export function createTemplateMiner(options: TemplateMinerOptions): TemplateMiner {
  const { store, logger, limits = TEMPLATE_LIMITS, maxServices = MAX_SERVICES, syncMs = SYNC_MS } = options;
  const services = new Map<string, Service>();
  /** Services whose templates the store does not take: their lines are masked when they are read. */
  const refused = new Set<string>();
  let unminedLines = 0;
  let syncedAtMs = Number.NEGATIVE_INFINITY;
  let newestStoredMs = 0;
  let syncing: Promise<void> | undefined;
  let lastSave: Promise<void> = Promise.resolve();

  function serviceOf(name: string): Service | undefined {
    const known = services.get(name);
    if (known || services.size >= maxServices) return known;
    const service = { groups: createTemplateGroups(limits), unsaved: new Map<string, TemplateAlias>() };
    services.set(name, service);
    return service;
  }

  function mineRow(row: LogRow): LogRow {
    const isRefused = refused.has(row.ServiceName);
    const id = isRefused ? undefined : serviceOf(row.ServiceName)?.groups.add(tokenizeLine(row.Body));
    if (id === undefined) unminedLines++;
    return { ...row, TemplateId: id ?? '' };
  }

  function withoutRefused(row: LogRow): LogRow {
    if (!refused.has(row.ServiceName)) return row;
    if (row.TemplateId) unminedLines++;
    return { ...row, TemplateId: '' };
  }

  function noteChanges(): void {
    for (const { groups, unsaved } of services.values()) {
      for (const alias of groups.takeChanged()) unsaved.set(alias.id, alias);
    }
  }

  async function saveService(name: string, { unsaved }: Service, signal: AbortSignal | undefined): Promise<void> {
    const aliases = [...unsaved.values()];
    if (aliases.length === 0) return;
    try {
      await store.save(name, aliases, signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.add(name); // its lines are stored all the same, without ids that nobody could resolve
      logger.error(
        { service: name, aliases: aliases.length, reason: errorMessage(error) },
        'log templates were refused',
      );
    }
    for (const alias of aliases) if (unsaved.get(alias.id) === alias) unsaved.delete(alias.id);
  }

  /** Resolves when all that is known now is stored: saves queue, and each takes everything that waits. */
  function save(signal: AbortSignal | undefined): Promise<void> {
    noteChanges();
    const saveAll = async () => {
      for (const [name, service] of services) await saveService(name, service, signal);
    };
    lastSave = lastSave.then(saveAll, saveAll);
    return lastSave;
  }

  async function loadStored(signal: AbortSignal | undefined): Promise<readonly StoredTemplate[]> {
    try {
      return await store.load(Math.max(0, newestStoredMs - OVERLAP_MS), signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Better new ids for known lines than no lines.
      logger.error({ reason: errorMessage(error) }, 'stored log templates cannot be read');
      return [];
    }
  }

  async function takeIn(signal: AbortSignal | undefined): Promise<void> {
    const startedMs = performance.now();
    const stored = await loadStored(signal);
    for (const { service, tokens, storedAtMs } of stored) {
      serviceOf(service)?.groups.restore(tokens);
      newestStoredMs = Math.max(newestStoredMs, storedAtMs);
    }
    noteChanges();
    for (const { service, id, version } of stored) {
      const unsaved = services.get(service)?.unsaved;
      if (unsaved?.get(id)?.version === version) unsaved.delete(id);
    }
    syncedAtMs = startedMs;
  }

  function sync(signal?: AbortSignal): Promise<void> {
    syncing ??= takeIn(signal)
      .catch((error: unknown) => {
        // Others wait for it too, whose own time is not over.
        throw signal?.aborted
          ? new UnavailableError('Log templates were not read in time: retry in a moment.', { cause: error })
          : error;
      })
      .finally(() => {
        syncing = undefined;
      });
    return syncing.then(() => save(signal));
  }

  /** Before the first line everything must be known; later knowledge may be a little old. */
  async function keepInSync(signal: AbortSignal | undefined): Promise<void> {
    if (performance.now() - syncedAtMs < syncMs) return;
    if (syncedAtMs === Number.NEGATIVE_INFINITY) return sync(signal);
    syncedAtMs = performance.now();
    sync().catch((error: unknown) =>
      logger.warn({ err: errorMessage(error) }, 'log templates of others were not read'),
    );
  }

  return {
    mine: async (rows, signal) => {
      if (!rows.otel_logs || rows.otel_logs.length === 0) return rows;
      await keepInSync(signal);
      const mined = { ...rows, otel_logs: rows.otel_logs.map(mineRow) };
      await save(signal);
      return refused.size === 0 ? mined : { ...mined, otel_logs: mined.otel_logs.map(withoutRefused) };
    },
    sync,
    load: () => ({
      services: services.size,
      facts: [...services.values()].reduce((sum, { groups }) => sum + groups.factCount(), 0),
      unminedLines,
    }),
  };
}

/** What will not go better another time. */
function isRefusal(error: unknown): boolean {
  return error instanceof AppError && !error.retryable;
}

/** A writer of telemetry whose log lines are mined on their way in; what is new of templates is stored before the lines. */
export function writeMined<Options extends { readonly signal?: AbortSignal | undefined }>(
  miner: Pick<TemplateMiner, 'mine'>,
  write: (rows: TelemetryRows, options: Options) => Promise<void>,
): (rows: TelemetryRows, options: Options) => Promise<void> {
  return async (rows, options) => write(await miner.mine(rows, options.signal), options);
}
