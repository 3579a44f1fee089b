/** A page calls the script before it has loaded, and videos play, pause and end before anything is ready: nothing is lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { page, scriptTag, video } from '../harness/templates.ts';

const VIDEO = { id: 'intro', clip: 'clip-8s' } as const;

/** What a page does that cannot know when the script comes: two calls in a row, the second after one that fails. */
const CALLS = `<script>
  window.quartile = window.quartile || [];
  quartile.push((q) => q.track(document.getElementById('intro'), { video: { id: 'named-early' }, dims: { plan: 'gold' } }));
  quartile.push(() => { throw new Error('the mistake of the page'); });
  quartile.push((q) => { window.views = q.track(document.getElementById('intro')); });
</script>`;

const stage = new Stage();

test('calls that were made before the script came are carried out, in order', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const body = `${video(VIDEO).replace('data-video-id', 'data-other')}${CALLS}${scriptTag(collector.origin)}`;
  const visit = await stage.visitAddress(stage.site.add('early', page('', body)));
  await visit.until('window.views');
  await visit.run("quartile.push((q) => q.track(document.getElementById('intro'), { video: { title: 'Said later' } }))");
  await visit.play('intro');
  await visit.untilEnded('intro');
  await visit.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: ['views', 'plays'], dimensions: ['video', 'video_title'] });
    assert.deepEqual(rows, [{ video: 'named-early', video_title: 'Said later', views: 1, plays: 1 }]);
  });
  assert.equal(visit.complaints.length, 1, visit.complaints.join('\n'));
  assert.match(visit.complaints[0] ?? '', /^uncaught: .*the mistake of the page$/);
});

/** WebAssembly that takes five seconds to compile, as on a slow machine. */
const SLOWLY = `
  const compile = WebAssembly.compile;
  WebAssembly.compile = async (bytes) => {
    await new Promise((resolve) => setTimeout(resolve, 5000));
    window.compiled = true;
    return compile.call(WebAssembly, bytes);
  };`;

test('what is played, paused and skipped before the SDK is ready is counted as it was', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const body = `${video(VIDEO)}${scriptTag(collector.origin)}`;
  const visit = await stage.visitAddress(stage.site.add('slow', page('', body)), async (tab) => {
    await tab.evaluateOnNewDocument(SLOWLY);
  });
  await visit.until('window.quartile?.track');
  await visit.play('intro');
  await visit.untilPosition('intro', 1);
  await visit.pause('intro');
  await visit.seek('intro', 5);
  await visit.play('intro');
  await visit.untilPosition('intro', 6);
  await visit.pause('intro');
  assert.equal(await visit.run('window.compiled'), undefined, 'it was ready before all of that was done');
  await visit.untilHeard();
  const truth = await visit.truth('intro');
  await visit.close();
  await settles(async () => {
    const row = await collector.totals(['views', 'plays', 'pauses', 'seeks', 'reached_25', 'position_50', 'reached_50', 'minutes_viewed']);
    assertMetrics(row, { views: 1, plays: 1, pauses: 2, seeks: 1, reached_25: 1, position_50: 1, reached_50: 0 });
    assertPlayed(row, truth.playedMs);
  });
  assert.deepEqual(visit.complaints, []);
});
