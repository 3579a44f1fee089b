/** The collector is killed with batches that it has acknowledged and not yet counted: none is lost, none doubled. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FIXTURE_ITEMS, FIXTURE_METRICS, freshBatch, post } from '../harness/batch.ts';
import type { Collector } from '../harness/collector.ts';
import { settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

/** Rows stay in the queue for a minute: longer than any of these tests lets the collector live. */
const UNCOUNTED = { QUARTILE_FORWARD_DELAY_MS: '60000' };

const WATCHED = { views: 1, impressions: 1, plays: 1, ends: 1, unique_viewers: 1, reached_25: 1, reached_100: 1 };

const stage = new Stage();

/** Whether what was acknowledged is still to be counted. */
async function assertUncounted(collector: Collector): Promise<void> {
  const rows = await collector.report({ metrics: ['plays'], dimensions: ['video'] });
  assert.deepEqual(rows, [], 'the collector counted what it was told to wait with');
}

async function killAndStart(collector: Collector, settings: Record<string, string> = {}): Promise<void> {
  await collector.kill();
  await collector.start(settings);
}

test('a batch that was acknowledged before the kill is counted once after it', { timeout: 60_000 }, async () => {
  const collector = await stage.collector(UNCOUNTED);
  assert.equal(await post(collector.origin, await freshBatch()), FIXTURE_ITEMS);
  await assertUncounted(collector);
  await killAndStart(collector);
  const check = async () => assert.deepEqual(await collector.totals(Object.keys(FIXTURE_METRICS)), FIXTURE_METRICS);
  await settles(check);
  await killAndStart(collector);
  await settles(check);
  await collector.stop();
  await collector.start();
  await settles(check);
});

test('a viewing that outlives two kills of the collector is counted whole', { timeout: 90_000 }, async () => {
  const collector = await stage.collector(UNCOUNTED);
  const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilPosition('intro', 3);
  await visit.untilHeard();
  await assertUncounted(collector);
  await killAndStart(collector, UNCOUNTED);
  await visit.untilEnded('intro');
  const truth = await visit.truth('intro');
  await visit.untilQuiet();
  await assertUncounted(collector);
  await killAndStart(collector);

  await settles(async () => {
    const row = await collector.totals([...Object.keys(WATCHED), 'minutes_viewed']);
    assertMetrics(row, WATCHED);
    assertPlayed(row, truth.playedMs);
  });
  await visit.close();
});
