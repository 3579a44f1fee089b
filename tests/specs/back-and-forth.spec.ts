/** A visitor leaves the page and comes back with the browser's button: the page goes on, and what follows is counted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { assertBetween, assertMetrics } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { CORES } from '../harness/templates.ts';

const VIDEO = { id: 'film', clip: 'clip-60s' } as const;

const stage = new Stage();

for (const core of CORES) {
  test(`a page that was left and came back counts on (${core})`, { timeout: 60_000 }, async () => {
    const collector = await stage.collector();
    const elsewhere = stage.site.add('elsewhere', '<!doctype html><title>Elsewhere</title>');
    const visit = await stage.visit(collector.origin, [VIDEO], '', core);
    await visit.run("addEventListener('pageshow', ({ persisted }) => { window.cameBack = persisted; })");
    await visit.play(VIDEO.id);
    await visit.untilPosition(VIDEO.id, 2);
    await visit.page.goto(elsewhere);
    await settles(async () => assertMetrics(await collector.totals(['views', 'stops']), { views: 1, stops: 1 }));

    await visit.page.goBack();
    await visit.until('window.cameBack === true');
    const from = (await visit.truth(VIDEO.id)).position;
    await visit.play(VIDEO.id);
    await visit.untilPosition(VIDEO.id, from + 2);
    await visit.close();
    await settles(async () => {
      const row = await collector.totals(['views', 'plays', 'stops', 'minutes_viewed']);
      assertMetrics(row, { views: 2, plays: 2, stops: 2 });
      assertBetween('seconds viewed', Number(row['minutes_viewed']) * 60, 3, 5.5);
    });
    assert.deepEqual(visit.complaints, []);
  });
}
