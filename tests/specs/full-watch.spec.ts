/** A viewer watches a video from its beginning to its end: the report shows exactly one full viewing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertBetween, assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { CORES } from '../harness/templates.ts';

const EXPECTED = {
  views: 1,
  impressions: 1,
  play_requests: 1,
  plays: 1,
  ends: 1,
  stops: 1,
  pauses: 0,
  errors: 0,
  unique_viewers: 1,
  sessions: 1,
  reached_25: 1,
  reached_50: 1,
  reached_75: 1,
  reached_100: 1,
  position_25: 1,
  position_50: 1,
  position_75: 1,
  position_100: 1,
  completion_rate: 1,
  drop_off: 0,
};

const stage = new Stage();

for (const core of CORES) {
  test(`a video watched to its end is one full viewing (${core})`, { timeout: 60_000 }, async () => {
    const collector = await stage.collector();
    const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }], '', core);
    await visit.play('intro');
    await visit.untilEnded('intro');
    const truth = await visit.truth('intro');
    await visit.close();

    assertBetween('what the page measured', truth.playedMs, 7_500, 9_500);
    await settles(async () => {
      const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed']);
      assertMetrics(row, EXPECTED);
      assertPlayed(row, truth.playedMs);
    });
    const who = await collector.report({ metrics: ['plays'], dimensions: ['video', 'device', 'os', 'browser'] });
    assert.deepEqual(who, [{ video: 'intro', device: 'desktop', os: 'Linux', browser: 'Chrome', plays: 1 }]);
    assert.deepEqual(visit.complaints, []);
  });
}
