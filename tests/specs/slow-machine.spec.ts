/** A slow machine: what the SDK does in an event of a video is never long, and what waits is never much. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage } from '../harness/stage.ts';
import { CORES } from '../harness/templates.ts';

const SLOWER = 6;
const EVENTS = 1_000;

/** What the browser calls a long task. */
const LONG_MS = 50;

/** A thousand events in a moment are four minutes of playback: requests do not grow with them. */
const MOST_REQUESTS = 10;

/**
 * Dispatches events while the video plays, a few in each turn as a busy page does; what an event costs is the time until
 * its listeners, which are all the SDK's, are through.
 */
const MEASURE = `(async () => {
  const video = viewer.video('film');
  const costs = [];
  while (costs.length < ${EVENTS}) {
    for (let turn = 0; turn < 20; turn += 1) {
      const before = performance.now();
      video.dispatchEvent(new Event('timeupdate'));
      costs.push(performance.now() - before);
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  const sum = costs.reduce((all, cost) => all + cost, 0);
  return { most: Math.max(...costs), mean: sum / costs.length };
})()`;

const stage = new Stage();

for (const core of CORES) {
  test(`a thousand timeupdates on a machine six times slower (${core})`, { timeout: 90_000 }, async () => {
    const collector = await stage.collector();
    const visit = await stage.visit(collector.origin, [{ id: 'film', clip: 'clip-60s' }], '', core);
    await visit.play('film');
    await visit.untilHeard();
    let requests = 0;
    visit.page.on('request', (request) => (requests += request.url().endsWith('/v1/collect') ? 1 : 0));
    await visit.page.emulateCPUThrottling(SLOWER);
    const { most, mean } = await visit.run<{ most: number; mean: number }>(MEASURE);
    await visit.page.emulateCPUThrottling(null);
    assert.ok(most < LONG_MS, `an event took ${most} ms`);
    assert.ok(mean < LONG_MS / 10, `an event took ${mean} ms on average`);
    assert.ok(requests <= MOST_REQUESTS, `${requests} requests`);
    assert.deepEqual(visit.complaints, []);
    await visit.close();
  });
}
