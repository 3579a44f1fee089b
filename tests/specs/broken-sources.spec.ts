/** A video has several sources, and the browser can play none of them: the view has failed, although the element has no error. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';
import { page, scriptTag } from '../harness/templates.ts';

const METRICS = ['views', 'plays', 'fatal_errors'];

const stage = new Stage();

/** Opens a page whose video gets such sources once it is tracked. */
async function visit(...sources: string[]) {
  const collector = await stage.collector();
  const body = `<video id="intro" data-video-id="intro"></video>${scriptTag(collector.origin)}`;
  const tab = await stage.visitAddress(stage.site.add('sources', page('', body)));
  await tab.until('window.quartile?.track');
  const markup = sources.map((source) => `<source src="${source}">`).join('');
  await tab.run(`document.querySelector('video').insertAdjacentHTML('beforeend', '${markup}')`);
  return { collector, tab };
}

test('no source can be played', { timeout: 60_000 }, async () => {
  const { collector, tab } = await visit('/nothing.mp4', '/nothing-either.mp4');
  await tab.untilHeard();
  await tab.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: METRICS, dimensions: ['video'] });
    assert.deepEqual(rows, [{ video: 'intro', views: 1, plays: 0, fatal_errors: 1 }]);
  });
});

test('the second source plays, and the first is no failure', { timeout: 60_000 }, async () => {
  const { collector, tab } = await visit('/nothing.mp4', '/media/clip-8s.mp4');
  await tab.until(`document.querySelector('video').readyState > 0`);
  await tab.play('intro');
  await tab.untilEnded('intro');
  await tab.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: METRICS, dimensions: ['video'] });
    assert.deepEqual(rows, [{ video: 'intro', views: 1, plays: 1, fatal_errors: 0 }]);
  });
});
