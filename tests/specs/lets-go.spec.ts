/** A page that comes and goes with its players: nothing of Quartile stays behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';

const CYCLES = 200;

const stage = new Stage();

test('a script that was told to end tracks nothing that comes later', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const visit = await stage.visit(collector.origin, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilHeard();
  await visit.run('quartile.destroy()');
  await visit.run(`document.body.insertAdjacentHTML('beforeend', '<video id="later" data-video-id="later" src="/media/clip-8s.mp4"></video>')`);
  await visit.play('later');
  await visit.untilPosition('later', 4);
  await visit.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: ['plays'], dimensions: ['video'] });
    assert.deepEqual(rows, [{ video: 'intro', plays: 1 }]);
  });
  assert.deepEqual(visit.complaints, []);
});

test('elements that are no longer tracked can be thrown away', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const code = `globalThis.quartile = init({ collector: '${collector.origin}', site: 'demo' });
quartile.track(document.querySelector('video'));`;
  const visit = await stage.visitModule(code, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilHeard();
  await visit.run(`(async () => {
    globalThis.gone = [];
    for (let cycle = 0; cycle < ${CYCLES}; cycle += 1) {
      const video = document.createElement('video');
      video.src = '/media/clip-8s.mp4?' + cycle;
      document.body.append(video);
      const view = quartile.track(video);
      await new Promise((turn) => setTimeout(turn));
      view.stop();
      video.remove();
      video.removeAttribute('src');
      video.load();
      gone.push(new WeakRef(video));
    }
    await new Promise((parted) => setTimeout(parted, 500));
  })()`);
  await visit.collectGarbage();
  const left = await visit.run<number>('gone.filter((video) => video.deref()).length');
  // The last of them may still be in a register or on a list of the browser's own.
  assert.ok(left <= 2, `${left} of ${CYCLES} elements are still there`);
  await visit.close();
  assert.deepEqual(visit.complaints, []);
});
