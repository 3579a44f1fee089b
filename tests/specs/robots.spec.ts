/** A program drives a browser and plays a video: the report leaves it out, unless it is asked for robots. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';

const stage = new Stage('robot');

test('what robots watch is kept apart', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilPosition('intro', 3);
  await visit.close();

  await settles(async () => {
    const robots = await collector.totals(['plays', 'stops', 'reached_25'], [['is', 'bot', ['HeadlessChrome']]]);
    assert.deepEqual(robots, { plays: 1, stops: 1, reached_25: 1 });
    assert.deepEqual(await collector.totals(['plays', 'stops', 'reached_25']), { plays: 0, stops: 0, reached_25: 0 });
  });
});
