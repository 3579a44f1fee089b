/** A page is left while the collector cannot be reached: where storage is allowed, the next page tells what was watched. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

const stage = new Stage();

test('what a page could not send survives it', { timeout: 60_000 }, async () => {
  const collector = await stage.absentCollector();
  const code = `const quartile = init({ collector: '${collector.origin}', site: 'demo', identity: 'stored' });
quartile.track(document.querySelector('video'));`;
  const away = await stage.visitModule(code, [{ id: 'intro', clip: 'clip-8s' }]);
  await away.play('intro');
  await away.untilPosition('intro', 4);
  const { playedMs } = await away.truth('intro');
  await away.close();

  await collector.start();
  const back = await stage.visitModule(code, [{ id: 'other', clip: 'clip-8s' }]);
  await settles(async () => {
    const rows = await collector.report({ metrics: ['plays', 'stops', 'minutes_viewed'], dimensions: ['video'] });
    const row = rows.find(({ video }) => video === 'intro');
    assert.ok(row, 'the view of the page before is there');
    assert.deepEqual([row['plays'], row['stops']], [1, 1]);
    assertPlayed(row, playedMs, 1_000);
  });
  assert.equal(await back.run(`Object.keys(localStorage).some((key) => key.startsWith('quartile.unsent'))`), false);
  await back.close();
  assert.deepEqual(back.complaints, []);
});
