/**
 * A viewing crosses a mark of the clock at which what is told of it is cut, on a device whose clock is wrong: it is
 * still one viewing, with each of its parts counted once.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

const EXPECTED = {
  views: 1,
  impressions: 1,
  play_requests: 1,
  plays: 1,
  ends: 1,
  stops: 1,
  unique_viewers: 1,
  sessions: 1,
  reached_25: 1,
  reached_50: 1,
  reached_75: 1,
  reached_100: 1,
  position_100: 1,
  completion_rate: 1,
  avg_percent_watched: 1,
};

const stage = new Stage();

test('a viewing across a five-minute mark is one viewing', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }], '?mark-in=4000');
  await visit.play('intro');
  await visit.untilEnded('intro');
  const truth = await visit.truth('intro');
  const marks = '[viewer.openedAt, Date.now()].map((at) => Math.floor(at / 300_000))';
  const [opened, ended] = await visit.run<[number, number]>(marks);
  await visit.close();

  assert.equal(ended - opened, 1, 'the mark must have been crossed');
  await settles(async () => {
    const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed']);
    assertMetrics(row, EXPECTED);
    assertPlayed(row, truth.playedMs);
  });
  assert.deepEqual(visit.complaints, []);
});
