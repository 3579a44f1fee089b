/** A developer imports the npm package and tracks a video by hand: its id and title are in the report, and once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

const VIDEO = { id: 'lesson-1', title: 'The first lesson' };

const EXPECTED = {
  video: VIDEO.id,
  video_title: VIDEO.title,
  views: 1,
  impressions: 1,
  plays: 1,
  ends: 1,
  stops: 1,
  unique_viewers: 1,
  reached_25: 1,
  reached_50: 1,
  reached_75: 1,
  reached_100: 1,
};

const stage = new Stage();

test('a video tracked twice by hand is one viewing under its own name', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const code = `
    const quartile = init({ collector: '${collector.origin}', site: 'demo' });
    const element = document.getElementById('player');
    quartile.track(element, { video: ${JSON.stringify(VIDEO)} });
    quartile.track(element, { video: ${JSON.stringify(VIDEO)} });`;
  const visit = await stage.visitModule(code, [{ id: 'player', clip: 'clip-8s' }]);
  await visit.play('player');
  await visit.untilEnded('player');
  const truth = await visit.truth('player');
  await visit.close();

  const { video: _id, video_title: _title, ...metrics } = EXPECTED;
  await settles(async () => {
    const rows = await collector.report({
      metrics: [...Object.keys(metrics), 'minutes_viewed'],
      dimensions: ['video', 'video_title'],
    });
    assert.equal(rows.length, 1, JSON.stringify(rows));
    assertMetrics(rows[0] ?? {}, EXPECTED);
    assertPlayed(rows[0] ?? {}, truth.playedMs);
  });
  assert.deepEqual(visit.complaints, []);
});
