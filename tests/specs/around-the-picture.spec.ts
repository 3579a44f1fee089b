/** Whether a video is seen, with which captions, and what else a viewer does: it is in the report, and in the page's own view of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';

const EXPECTED = { views: 1, viewables: 1, captions_on: 1, interactions: 1, shares: 1 };

const CAPTIONS = `(async () => {
  const video = viewer.video('intro');
  const track = document.createElement('track');
  Object.assign(track, { kind: 'subtitles', srclang: 'fr', src: 'data:text/vtt,WEBVTT' });
  video.append(track);
  await new Promise((turn) => setTimeout(turn));
  track.track.mode = 'showing';
})()`;

const stage = new Stage();

test('a view is more than its playing', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const code = `const quartile = init({ collector: '${collector.origin}', site: 'demo' });
globalThis.view = quartile.track(document.querySelector('video'));`;
  const visit = await stage.visitModule(code, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilPosition('intro', 1);
  await visit.run(CAPTIONS);
  await visit.run(`view.interact('menu', 'share', 'mail')`);
  await visit.untilPosition('intro', 4);
  const shown = await visit.run<Record<string, unknown>>('view.snapshot()');
  assert.equal(shown['state'], 'playing');
  assert.ok(Number(shown['played_ms']) > 3_000, JSON.stringify(shown));
  await visit.close();
  await settles(async () => assert.deepEqual(await collector.totals(Object.keys(EXPECTED)), EXPECTED));
  assert.deepEqual(visit.complaints, []);
});
