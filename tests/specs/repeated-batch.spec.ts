/** The same batch arrives five times, as it does when a network loses answers: the report does not change. */

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { FIXTURE_ITEMS, FIXTURE_METRICS, batchOfThePast, freshBatch, post } from '../harness/batch.ts';
import { Collector } from '../harness/collector.ts';
import { settles } from '../harness/eventually.ts';

const TIMES = 5;

async function assertCountedOnce(t: TestContext, batch: string): Promise<void> {
  const collector = await Collector.start();
  t.after(() => collector.remove());
  for (let time = 0; time < TIMES; time += 1) {
    assert.equal(await post(collector.origin, batch), FIXTURE_ITEMS);
    await settles(async () => {
      assert.deepEqual(await collector.totals(Object.keys(FIXTURE_METRICS)), FIXTURE_METRICS);
    });
  }
}

describe('a batch that arrives five times', { concurrency: true, timeout: 60_000 }, () => {
  test('is counted once', async (t) => {
    await assertCountedOnce(t, await freshBatch());
  });

  test('is counted once, and today, when the clock of its device is wrong', async (t) => {
    await assertCountedOnce(t, await batchOfThePast());
  });
});
