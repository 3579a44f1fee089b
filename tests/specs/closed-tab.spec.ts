/** A viewer closes the tab in the middle of a video: what was watched until then is in the report. */

import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertBetween, assertMetrics } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { CORES } from '../harness/templates.ts';

const CLOSED_AT = 5;

const EXPECTED = {
  views: 1,
  plays: 1,
  stops: 1,
  ends: 0,
  reached_25: 1,
  reached_50: 1,
  reached_75: 0,
  reached_100: 0,
};

const stage = new Stage();

for (const core of CORES) {
  test(`what was watched before the tab was closed is counted (${core})`, { timeout: 60_000 }, async () => {
    const collector = await stage.collector();
    const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }], '', core);
    await visit.play('intro');
    await visit.untilPosition('intro', CLOSED_AT);
    const truth = await visit.truth('intro');
    await visit.close();

    assertBetween('where the tab was closed', truth.position, CLOSED_AT, 5.9);
    await settles(async () => {
      const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed']);
      assertMetrics(row, EXPECTED);
      const played = Number(row['minutes_viewed']) * 60_000;
      assertBetween('milliseconds played', played, truth.playedMs - 1_000, truth.playedMs + 500);
      const reasons = await collector.report({ metrics: ['stops'], dimensions: ['stop_reason'] });
      const [reason] = reasons.filter((entry) => entry['stops'] !== 0);
      assertMetrics(reason ?? {}, { stop_reason: 'closed', stops: 1 });
    });
  });
}
