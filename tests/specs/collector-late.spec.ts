/** The collector is down when a viewer begins to watch, and comes up later: nothing of the viewing is lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

/** How long the collector is down; the page stays open until it has said everything. */
const DOWN_MS = 15_000;

/** The SDK waits longer after each failure, so this long after it was down it may still be waiting. */
const PATIENCE_MS = 40_000;

const EXPECTED = { views: 1, impressions: 1, plays: 1, ends: 1, unique_viewers: 1, reached_25: 1, reached_100: 1 };

const stage = new Stage();

test('a viewing that began while the collector was down is counted whole', { timeout: 90_000 }, async () => {
  const collector = await stage.absentCollector();
  const down = sleep(DOWN_MS);
  const visit = await stage.visitBundled(collector.origin, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilEnded('intro');
  const truth = await visit.truth('intro');
  await down;
  assert.notEqual(visit.networkNotes.length, 0, 'the page must have tried while the collector was down');

  await collector.start();
  await visit.untilHeard(PATIENCE_MS);
  await settles(async () => {
    const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed']);
    assertMetrics(row, EXPECTED);
    assertPlayed(row, truth.playedMs);
  });
  await visit.close();
  await settles(async () => {
    const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed', 'stops']);
    assertMetrics(row, { ...EXPECTED, stops: 1 });
    assertPlayed(row, truth.playedMs);
  });
  assert.deepEqual(visit.complaints, []);
});
