/** The same batch arrives five times, as it does when a network loses answers: the report does not change. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { FIXTURE_ITEMS, FIXTURE_METRICS, batchOfThePast, freshBatch, post } from '../harness/batch.ts';
import { Collector } from '../harness/collector.ts';
import { settles } from '../harness/eventually.ts';

const TIMES = 5;

async function assertCountedOnce(batch: string): Promise<void> {
  const collector = await Collector.start();
  after(() => collector.remove());
  for (let time = 0; time < TIMES; time += 1) {
    assert.equal(await post(collector.origin, batch), FIXTURE_ITEMS);
    await settles(async () => {
      assert.deepEqual(await collector.totals(Object.keys(FIXTURE_METRICS)), FIXTURE_METRICS);
    });
  }
}

test('a batch that arrives five times is counted once', { timeout: 60_000 }, async () => {
  await assertCountedOnce(await freshBatch());
});

test('a batch from a device whose clock is wrong is counted today, and once', { timeout: 60_000 }, async () => {
  await assertCountedOnce(await batchOfThePast());
});
