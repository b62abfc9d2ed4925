import { expect, it } from 'vitest';
import { UnavailableError } from './errors.ts';
import { createLifecycle } from './lifecycle.ts';

it('closes the last opened first, one after the other', async () => {
  const lifecycle = createLifecycle();
  const steps: string[] = [];
  for (const name of ['engine', 'database', 'server']) {
    lifecycle.add(name, async () => {
      steps.push(`${name} closes`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`${name} closed`);
    });
  }
  await lifecycle.close();
  expect(steps).toEqual([
    'server closes',
    'server closed',
    'database closes',
    'database closed',
    'engine closes',
    'engine closed',
  ]);
});

it('closes every one even if some fail, and names those', async () => {
  const lifecycle = createLifecycle();
  const closed: string[] = [];
  lifecycle.add('engine', () => void closed.push('engine'));
  lifecycle.add('database', () => Promise.reject(new UnavailableError('gone')));
  lifecycle.add('cache', () => {
    throw new UnavailableError('also gone');
  });
  lifecycle.add('server', () => void closed.push('server'));
  const failure = await lifecycle.close().catch((error: unknown) => error);
  expect(closed).toEqual(['server', 'engine']);
  expect(failure).toBeInstanceOf(AggregateError);
  const { errors } = failure as AggregateError;
  expect(errors.map(String)).toEqual([
    expect.stringContaining('closing cache failed'),
    expect.stringContaining('closing database failed'),
  ]);
});

it('closes once, whoever asks how often', async () => {
  const lifecycle = createLifecycle();
  let times = 0;
  lifecycle.add('engine', () => void times++);
  await Promise.all([lifecycle.close(), lifecycle.close()]);
  await lifecycle.close();
  expect(times).toBe(1);
});

it('has nothing to do when nothing was opened', async () => {
  await createLifecycle().close();
});
