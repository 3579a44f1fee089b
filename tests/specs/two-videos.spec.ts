/** A page shows one video at first and adds another later, and both play at once: each has its own numbers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { video } from '../harness/templates.ts';

const EACH = { views: 1, impressions: 1, plays: 1, ends: 1, unique_viewers: 1, reached_50: 1, reached_100: 1 };

const stage = new Stage();

test('two videos of a page, one of them added later, are counted apart', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const visit = await stage.visit(collector.origin, [{ id: 'first', clip: 'clip-8s' }]);
  await visit.play('first');
  await visit.untilPosition('first', 2);
  const late = JSON.stringify(video({ id: 'late', clip: 'clip-8s' }));
  await visit.run(`document.body.insertAdjacentHTML('beforeend', ${late})`);
  await visit.play('late');
  await visit.untilEnded('first');
  await visit.untilEnded('late');
  const truths = { first: await visit.truth('first'), late: await visit.truth('late') };
  await visit.close();

  await settles(async () => {
    const rows = await collector.report({ metrics: [...Object.keys(EACH), 'minutes_viewed'], dimensions: ['video'] });
    assert.deepEqual(rows.map((row) => row['video']).sort(), ['first', 'late']);
    for (const row of rows) {
      assertMetrics(row, EACH);
      assertPlayed(row, truths[row['video'] as keyof typeof truths].playedMs);
    }
    const all = await collector.totals(['plays', 'unique_viewers', 'sessions']);
    assert.deepEqual(all, { plays: 2, unique_viewers: 1, sessions: 1 });
  });
  assert.deepEqual(visit.complaints, []);
});
