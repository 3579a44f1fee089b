/** A viewer skips most of a video: what was skipped is not counted as watched; the furthest point is still known. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertBetween, assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { CORES } from '../harness/templates.ts';

/** 20 of 60 seconds were watched, the furthest of them beyond three quarters and before the end. */
const EXPECTED = {
  views: 1,
  plays: 1,
  ends: 0,
  reached_25: 1,
  reached_50: 0,
  reached_75: 0,
  reached_100: 0,
  position_25: 1,
  position_50: 1,
  position_75: 1,
  position_100: 0,
  completion_rate: 0,
  drop_off: 0.75,
};

const stage = new Stage();

for (const core of CORES) {
  test(`skipped parts of a video are not watched (${core})`, { timeout: 90_000 }, async () => {
    const collector = await stage.collector();
    const visit = await stage.visit(collector.origin, [{ id: 'film', clip: 'clip-60s' }], '', core);
    await visit.play('film');
    await visit.untilPosition('film', 10);
    await visit.seek('film', 45);
    await visit.untilPosition('film', 55);
    const truth = await visit.truth('film');
    await visit.close();

    assertBetween('what the page measured', truth.playedMs, 19_500, 22_000);
    await settles(async () => {
      const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed', 'avg_percent_watched']);
      assertMetrics(row, EXPECTED);
      assertPlayed(row, truth.playedMs);
      assertBetween('the share watched', Number(row['avg_percent_watched']), 0.32, 0.36);
    });
    assert.deepEqual(visit.complaints, []);
  });
}
