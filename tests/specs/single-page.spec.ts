/** A single-page application swaps sources and routes: each video is a viewing of its own, in one visit of one page. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';

const stage = new Stage();

/** How an application shows another video: it says which, and gives the element its address. */
const ROUTES = `
  const quartile = init({ collector: COLLECTOR, site: 'demo' });
  const video = document.getElementById('player');
  const view = quartile.track(video, { video: { id: 'first' } });
  window.route = (id) => {
    history.pushState({}, '', '/watch/' + id);
    view.source({ id });
    video.src = '/media/clip-60s.mp4?' + id;
  };
  window.leave = () => {
    history.pushState({}, '', '/');
    video.remove();
    view.stop();
  };`;

test('sources and routes that are swapped are one viewing for each video', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const code = ROUTES.replace('COLLECTOR', JSON.stringify(collector.origin));
  const visit = await stage.visitModule(code, [{ id: 'player', clip: 'clip-60s' }]);
  const played: Record<string, number> = {};
  for (const id of ['first', 'second', 'third']) {
    if (id !== 'first') await visit.run(`route('${id}')`);
    const before = id === 'first' ? 0 : (await visit.truth('player')).playedMs;
    await visit.play('player');
    await visit.untilPosition('player', 2);
    played[id] = (await visit.truth('player')).playedMs - before;
  }
  await visit.run('leave()');
  await visit.untilQuiet();
  await settles(async () => {
    const rows = await collector.report({ metrics: ['views', 'plays', 'stops', 'minutes_viewed'], dimensions: ['video'] });
    const counted = rows.map(({ video, views, plays, stops }) => ({ video, views, plays, stops }));
    const expected = Object.keys(played).map((video) => ({ video, views: 1, plays: 1, stops: 1 }));
    const byVideo = (a: { video?: unknown }, b: { video?: unknown }) => String(a.video).localeCompare(String(b.video));
    assert.deepEqual(counted.sort(byVideo), expected.sort(byVideo));
    for (const { video, minutes_viewed } of rows) {
      const off = Math.abs(Number(minutes_viewed) * 60_000 - (played[String(video)] ?? 0));
      assert.ok(off < 900, `${video} is off by ${off} ms`);
    }
  });
  assert.equal((await collector.totals(['sessions']))['sessions'], 1);
  assert.deepEqual(visit.complaints, []);
});
