/**
 * A network loses answers, so that batches are sent again, and lets later ones overtake earlier ones: the report is the
 * same as if everything had arrived once and in order.
 */

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { FIXTURE_ITEMS, FIXTURE_METRICS, batchOfThePast, freshBatch, inPieces, post } from '../harness/batch.ts';
import { Collector } from '../harness/collector.ts';
import { settles } from '../harness/eventually.ts';

const TIMES = 5;

async function start(t: TestContext): Promise<Collector> {
  const collector = await Collector.start();
  t.after(() => collector.remove());
  return collector;
}

function assertCountedOnce(collector: Collector): Promise<void> {
  return settles(async () => {
    assert.deepEqual(await collector.totals(Object.keys(FIXTURE_METRICS)), FIXTURE_METRICS);
  });
}

async function assertRepeatable(collector: Collector, batch: string): Promise<void> {
  for (let time = 0; time < TIMES; time += 1) {
    assert.equal(await post(collector.origin, batch), FIXTURE_ITEMS);
    await assertCountedOnce(collector);
  }
}

describe('a batch', { concurrency: true, timeout: 60_000 }, () => {
  test('that arrives five times is counted once', async (t) => {
    await assertRepeatable(await start(t), await freshBatch());
  });

  test('from a device whose clock is wrong is counted today, and once', async (t) => {
    await assertRepeatable(await start(t), await batchOfThePast());
  });

  test('that arrives in pieces, the last one first, is counted whole', async (t) => {
    const collector = await start(t);
    const pieces = inPieces(await freshBatch());
    const accepted: number[] = [];
    for (const piece of pieces) accepted.push(await post(collector.origin, piece));
    assert.deepEqual(accepted, [2, 4]);
    await assertCountedOnce(collector);
  });
});
