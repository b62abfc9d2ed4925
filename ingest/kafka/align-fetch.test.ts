/** What comes after what was stored is taken; anything else sends the fetch back, and never loops. */
import type { Batch } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../platform/logger.ts';
import { alignFetch } from './align-fetch.ts';
import type { Position } from './follow-group.ts';

interface Log {
  readonly low: string;
  readonly high: string;
}

function stageOf({ low, high }: Log) {
  const seeks: string[] = [];
  const expired: string[] = [];
  const options = {
    consumer: { seek: ({ offset }: { offset: string }) => void seeks.push(offset) },
    admin: { fetchTopicOffsets: async () => [{ partition: 0, offset: high, high, low }] },
    logger: silentLogger,
    onExpired: (_: Position, from: bigint, to: bigint) => void expired.push(`${from}-${to}`),
  };
  const offer = async (position: Position, fetchedOffset: string, offsets: readonly number[]) => {
    const messages = offsets.map((offset) => ({ offset: String(offset) }));
    const taken = await alignFetch(options, position, { fetchedOffset, messages } as unknown as Batch);
    return taken?.map(({ offset }) => Number(offset));
  };
  return { seeks, expired, offer };
}

const positionAt = (next: bigint): Position => ({
  topic: 'otlp_spans',
  partition: 0,
  next,
  fetched: next,
  begun: undefined,
  waiting: [],
  sentTo: undefined,
});

const LOG = { low: '0', high: '100' };

describe('a fetch', () => {
  it('is taken where it goes on, gaps of compaction included', async () => {
    const { offer, seeks } = stageOf(LOG);
    expect(await offer(positionAt(10n), '10', [12, 15])).toEqual([12, 15]);
    expect(seeks).toEqual([]);
  });

  it('from an earlier place gives only what is new', async () => {
    const { offer } = stageOf(LOG);
    expect(await offer(positionAt(10n), '8', [8, 9, 10, 11])).toEqual([10, 11]);
  });

  it('with nothing new goes back to where it should be', async () => {
    const { offer, seeks } = stageOf(LOG);
    expect(await offer(positionAt(10n), '3', [3, 4])).toBeUndefined();
    expect(seeks).toEqual(['10']);
  });

  it('from beyond is stale: a batch would lack what is in between', async () => {
    const { offer, seeks, expired } = stageOf(LOG);
    const position = positionAt(10n);
    expect(await offer(position, '20', [20])).toBeUndefined();
    expect({ seeks, expired, fetched: position.fetched }).toEqual({ seeks: ['10'], expired: [], fetched: 10n });
  });

  it('from beyond again is taken: only aborted transactions are in between', async () => {
    const { offer } = stageOf(LOG);
    const position = positionAt(10n);
    await offer(position, '20', [20]);
    expect(await offer(position, '20', [20])).toEqual([20]);
  });

  it('from where the log begins now tells what has expired', async () => {
    const { offer, seeks, expired } = stageOf({ low: '20', high: '100' });
    const position = positionAt(10n);
    expect(await offer(position, '20', [20])).toBeUndefined();
    expect({ seeks, expired }).toEqual({ seeks: ['20'], expired: ['10-20'] });
    expect(await offer(position, '20', [20])).toEqual([20]);
  });

  it('of a log that was cut goes on from its end', async () => {
    const { offer, seeks } = stageOf({ low: '0', high: '7' });
    const position = positionAt(10n);
    expect(await offer(position, '0', [0, 1, 2])).toBeUndefined();
    expect({ seeks, next: position.next }).toEqual({ seeks: ['7'], next: 7n });
    expect(await offer(position, '7', [7])).toEqual([7]);
  });
});
