/**
 * LangGraph's checkpoint saver over a CheckpointStore. A checkpoint row holds everything but the channels' values; those are
 * rows of their own, written when they change, so that a large state costs its changes only. Proven by LangGraph's own
 * validation suite (checkpointer.test.ts).
 */
import type { RunnableConfig } from '@langchain/core/runnables';
import {
  BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointTuple,
} from '@langchain/langgraph';
import { InputError } from '../platform/errors.ts';
import type { CheckpointRow, CheckpointStore } from './checkpoint-store.ts';
import type { Fence } from './fence.ts';

type Saver = BaseCheckpointSaver;
type Serializer = Saver['serde'];
type PendingWrites = Parameters<Saver['putWrites']>[1];
type ListOptions = NonNullable<Parameters<Saver['list']>[1]>;
type ChannelVersions = Parameters<Saver['put']>[3];

interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly metadata: CheckpointMetadata;
  readonly parentId?: string;
}

interface StoredWrite {
  readonly taskId: string;
  readonly taskPath: string;
  readonly index: number;
  readonly channel: string;
  readonly value: unknown;
}

/** LangGraph's channel of pending sends. */
const TASKS_CHANNEL = '__pregel_tasks';

/** A task has one write of these each, stored under a fixed index beside its numbered ones (LangGraph's WRITES_IDX_MAP). */
const FIXED_INDEX: Readonly<Record<string, number>> = {
  __error__: -1,
  __scheduled__: -2,
  __interrupt__: -3,
  __resume__: -4,
};

/**
 * State is plain data, so plain JSON holds it: nothing that telemetry puts into a finding can come back as more than data,
 * as it could from LangGraph's own format, which revives classes.
 */
const plainJson: Serializer = {
  dumpsTyped: async (value: unknown): Promise<[string, Uint8Array]> => [
    'json',
    new TextEncoder().encode(toText(value)),
  ],
  loadsTyped: async (_type: string, bytes: Uint8Array | string): Promise<unknown> =>
    JSON.parse(typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
};

function toText(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

/**
 * A durable checkpoint saver; one instance may serve any number of threads at once. The newest checkpoint is the one of the
 * greatest version: ids only sort by the clock of the process that made them.
 */
export function createCheckpointer(store: CheckpointStore, { nextVersion }: Pick<Fence, 'nextVersion'>): Saver {
  return new StoredCheckpointSaver(store, nextVersion);
}

class StoredCheckpointSaver extends BaseCheckpointSaver {
  readonly #store: CheckpointStore;
  readonly #nextVersion: () => number;

  constructor(store: CheckpointStore, nextVersion: () => number) {
    super(plainJson);
    this.#store = store;
    this.#nextVersion = nextVersion;
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { threadId, namespace, checkpointId } = addressOf(config);
    if (threadId === undefined) return undefined;
    const keys = checkpointId === undefined ? {} : { keys: [checkpointId] };
    const query = { kind: 'checkpoint' as const, threadId, namespace: namespace ?? '', ...keys, maxRows: 1 };
    const [row] = await this.#store.read(query, config.signal);
    return row && this.#load(row);
  }

  override async *list(config: RunnableConfig, options: ListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { threadId, namespace, checkpointId } = addressOf(config);
    const before = options.before && addressOf(options.before).checkpointId;
    const rows = await this.#store.read({ kind: 'checkpoint', threadId, namespace }, config.signal);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    for (const row of rows) {
      if (left <= 0) return;
      if (checkpointId !== undefined && row.key !== checkpointId) continue;
      if (before !== undefined && row.key >= before) continue;
      const { metadata } = parseCheckpoint(row);
      if (!Object.entries(options.filter ?? {}).every(([key, value]) => Reflect.get(metadata, key) === value)) continue;
      left -= 1;
      yield await this.#load(row);
    }
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { namespace = '', checkpointId: parentId } = addressOf(config);
    const threadId = threadOf(config);
    const { channel_values: values, ...rest } = checkpoint;
    const stored: StoredCheckpoint = {
      checkpoint: { ...rest, channel_values: {} },
      metadata,
      ...(parentId === undefined ? {} : { parentId }),
    };
    const rows: CheckpointRow[] = [
      { threadId, namespace, kind: 'checkpoint', key: checkpoint.id, text: toText(stored) },
    ];
    for (const [channel, version] of Object.entries(newVersions)) {
      if (!Object.hasOwn(values, channel)) continue;
      rows.push({
        threadId,
        namespace,
        kind: 'channel',
        key: channelKey(channel, version),
        text: toText(values[channel]),
      });
    }
    // No signal: a step that is done is saved, also when its caller has just given up.
    await this.#store.put(rows, this.#nextVersion());
    return { configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpoint.id } };
  }

  override async putWrites(
    config: RunnableConfig,
    writes: PendingWrites,
    taskId: string,
    taskPath = '',
  ): Promise<void> {
    const { namespace = '', checkpointId } = addressOf(config);
    const threadId = threadOf(config);
    if (checkpointId === undefined) throw new InputError('The config names no checkpoint_id to store writes for.');
    const rows = writes.map(([channel, value], position): CheckpointRow => {
      const index = FIXED_INDEX[channel] ?? position;
      const stored: StoredWrite = { taskId, taskPath, index, channel, value: value ?? null };
      return {
        threadId,
        namespace,
        kind: 'write',
        key: `${writePrefix(checkpointId)}${taskId}|${index}`,
        text: toText(stored),
      };
    });
    await this.#store.put(rows, this.#nextVersion());
  }

  override async deleteThread(threadId: string): Promise<void> {
    await this.#store.deleteThread(threadId);
  }

  /** The fraction keeps versions of branches apart: two processes on one thread never name different values alike. */
  override getNextVersion(current: number | undefined): number {
    return Math.floor(current ?? 0) + 1 + Math.random() / 2;
  }

  async #load(row: CheckpointRow): Promise<CheckpointTuple> {
    const { checkpoint, metadata, parentId } = parseCheckpoint(row);
    const [values, writes] = await Promise.all([
      this.#readChannels(row, checkpoint.channel_versions),
      this.#readWrites(row, row.key),
    ]);
    const whole = { ...checkpoint, channel_values: values };
    if (whole.v < 4 && parentId !== undefined) await this.#adoptPendingSends(whole, row, parentId);
    const address = { thread_id: row.threadId, checkpoint_ns: row.namespace };
    return {
      config: { configurable: { ...address, checkpoint_id: row.key } },
      checkpoint: whole,
      metadata,
      pendingWrites: writes.map(({ taskId, channel, value }) => [taskId, channel, value]),
      ...(parentId === undefined ? {} : { parentConfig: { configurable: { ...address, checkpoint_id: parentId } } }),
    };
  }

  async #readChannels(
    { threadId, namespace }: CheckpointRow,
    versions: ChannelVersions,
  ): Promise<Record<string, unknown>> {
    const channelOf = new Map(
      Object.entries(versions).map(([channel, version]) => [channelKey(channel, version), channel]),
    );
    if (channelOf.size === 0) return {};
    const rows = await this.#store.read({ kind: 'channel', threadId, namespace, keys: [...channelOf.keys()] });
    return Object.fromEntries(rows.map((row) => [channelOf.get(row.key) ?? row.key, JSON.parse(row.text)]));
  }

  /** In the order in which LangGraph applies them: task path, task, index. */
  async #readWrites({ threadId, namespace }: CheckpointRow, checkpointId: string): Promise<StoredWrite[]> {
    const rows = await this.#store.read({ kind: 'write', threadId, namespace, keyPrefix: writePrefix(checkpointId) });
    const writes = rows.map((row): StoredWrite => JSON.parse(row.text));
    return writes.sort(
      (left, right) =>
        compareText(left.taskPath, right.taskPath) ||
        compareText(left.taskId, right.taskId) ||
        left.index - right.index,
    );
  }

  /** Checkpoints before format 4 kept a step's sends with their parent; every saver still has to bring them along. */
  async #adoptPendingSends(checkpoint: Checkpoint, row: CheckpointRow, parentId: string): Promise<void> {
    const sends = (await this.#readWrites(row, parentId)).filter((write) => write.channel === TASKS_CHANNEL);
    const versions = Object.values(checkpoint.channel_versions).map(Number);
    checkpoint.channel_values[TASKS_CHANNEL] = sends.map((write) => write.value);
    checkpoint.channel_versions = {
      ...checkpoint.channel_versions,
      [TASKS_CHANNEL]: versions.length > 0 ? Math.max(...versions) : this.getNextVersion(undefined),
    };
  }
}

const channelKey = (channel: string, version: number | string): string => `${channel}:${version}`;

const writePrefix = (checkpointId: string): string => `${checkpointId}|`;

const compareText = (left: string, right: string): number => (left === right ? 0 : left < right ? -1 : 1);

const parseCheckpoint = (row: CheckpointRow): StoredCheckpoint => JSON.parse(row.text);

/** Where a config points; an empty checkpoint id means the newest, an absent namespace the root (or any, in a list). */
function addressOf(config: RunnableConfig): { threadId?: string; namespace?: string; checkpointId?: string } {
  const { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpointId } = config.configurable ?? {};
  return {
    ...(typeof threadId === 'string' ? { threadId } : {}),
    ...(typeof namespace === 'string' ? { namespace } : {}),
    ...(typeof checkpointId === 'string' && checkpointId !== '' ? { checkpointId } : {}),
  };
}

function threadOf(config: RunnableConfig): string {
  const { threadId } = addressOf(config);
  if (threadId === undefined) throw new InputError('The config names no thread_id to store a checkpoint for.');
  return threadId;
}
