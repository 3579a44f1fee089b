/** Nothing leaves the page before the visitor agrees, what was counted meanwhile is not lost, and nothing follows once they take it back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertPlayed } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';

const stage = new Stage();

test('what is watched while the visitor thinks is told when they agree', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const code = `globalThis.quartile = init({ collector: '${collector.origin}', site: 'demo', consent: 'pending' });
quartile.track(document.querySelector('video'));`;
  const visit = await stage.visitModule(code, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilPosition('intro', 5);
  assert.equal(visit.batches, 0, 'nothing is sent before');
  await visit.run(`quartile.consent('granted')`);
  await visit.untilEnded('intro');
  const { playedMs } = await visit.truth('intro');
  await settles(async () => {
    const row = await collector.totals(['plays', 'ends', 'minutes_viewed']);
    assert.deepEqual([row['plays'], row['ends']], [1, 1]);
    assertPlayed(row, playedMs);
  });
  await visit.close();
  assert.deepEqual(visit.complaints, []);
});

test('what is watched after the visitor took it back is nobody’s business', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const code = `globalThis.quartile = init({ collector: '${collector.origin}', site: 'demo', identity: 'stored' });
quartile.track(document.querySelector('video'));`;
  const visit = await stage.visitModule(code, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilHeard();
  await visit.run(`quartile.consent('denied')`);
  assert.equal(await visit.run('localStorage.length'), 0);
  const before = await visit.truth('intro');
  const said = visit.batches;
  await visit.untilEnded('intro');
  await visit.close();
  await settles(async () => {
    const row = await collector.totals(['plays', 'ends', 'stops', 'minutes_viewed']);
    assert.deepEqual([row['plays'], row['ends'], row['stops']], [1, 0, 0]);
    assert.ok(Number(row['minutes_viewed']) * 60_000 <= before.playedMs + 100);
  });
  assert.equal(visit.batches, said, 'nothing is sent after');
  assert.deepEqual(visit.complaints, []);
});
