/** A viewer pauses, goes on, and watches at double speed: minutes are those on the clock while the picture moved. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { settles } from '../harness/eventually.ts';
import { assertBetween, assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

/** Long enough to be told from a slip of the clock. */
const PAUSE_MS = 3_000;

const EXPECTED = {
  plays: 1,
  pauses: 1,
  resumes: 1,
  ends: 1,
  reached_25: 1,
  reached_50: 1,
  reached_75: 1,
  reached_100: 1,
};

const stage = new Stage();

test('a pause is not watched, and double speed halves the minutes', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  // A pause is told up to the next five-minute mark and no further: here none comes.
  const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }], '?mark-in=120000');
  await visit.run(`viewer.video('intro').playbackRate = 2`);
  await visit.play('intro');
  await visit.untilPosition('intro', 4);
  await visit.pause('intro');
  await sleep(PAUSE_MS);
  await visit.play('intro');
  await visit.untilEnded('intro');
  const truth = await visit.truth('intro');
  await visit.close();

  assertBetween('what the page measured', truth.playedMs, 3_800, 5_000);
  await settles(async () => {
    const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed', 'content_ms', 'paused_ms']);
    assertMetrics(row, EXPECTED);
    assertPlayed(row, truth.playedMs);
    assertBetween('milliseconds of content', Number(row['content_ms']), 7_800, 8_000);
    assertBetween('milliseconds paused', Number(row['paused_ms']), PAUSE_MS - 500, PAUSE_MS + 1_000);
  });
  assert.deepEqual(visit.complaints, []);
});
