/** A video has several sources, and the browser can play none of them: the view has failed, although the element has no error. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';
import { page, scriptTag } from '../harness/templates.ts';

const METRICS = ['views', 'plays', 'fatal_errors'];

const stage = new Stage();

/** Opens a page with such sources, whose script comes in the end if it is late. */
async function visit(sources: string[], isLate: boolean) {
  const collector = await stage.collector();
  const video = `<video id="intro" data-video-id="intro">${sources.map((source) => `<source src="${source}">`).join('')}</video>`;
  const body = isLate ? video : `${video}${scriptTag(collector.origin)}`;
  const tab = await stage.visitAddress(stage.site.add('sources', page('', body)));
  if (isLate) {
    await tab.until(`document.querySelector('video').networkState === HTMLMediaElement.NETWORK_NO_SOURCE`);
    await tab.run(`document.body.append(document.createRange().createContextualFragment(${JSON.stringify(scriptTag(collector.origin))}))`);
  }
  return { collector, tab };
}

for (const isLate of [false, true]) {
  test(`no source can be played, and the script comes ${isLate ? 'late' : 'early'}`, { timeout: 60_000 }, async () => {
    const { collector, tab } = await visit(['/nothing.mp4', '/nothing-either.mp4'], isLate);
    await tab.untilHeard();
    await tab.close();
    await settles(async () => {
      const rows = await collector.report({ metrics: METRICS, dimensions: ['video'] });
      assert.deepEqual(rows, [{ video: 'intro', views: 1, plays: 0, fatal_errors: 1 }]);
    });
  });
}

test('the second source plays, and the first is no failure', { timeout: 60_000 }, async () => {
  const { collector, tab } = await visit(['/nothing.mp4', '/media/clip-8s.mp4'], false);
  await tab.until('window.quartile?.track');
  await tab.play('intro');
  await tab.untilEnded('intro');
  await tab.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: METRICS, dimensions: ['video'] });
    assert.deepEqual(rows, [{ video: 'intro', views: 1, plays: 1, fatal_errors: 0 }]);
  });
});
