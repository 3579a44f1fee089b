/** A visitor's ad blocker stops all requests to the collector: the video plays, and the page does not notice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Visit } from '../harness/browser.ts';
import { Stage } from '../harness/stage.ts';
import { modulePage, scriptTagPage, trackAll } from '../harness/templates.ts';

const VIDEO = { id: 'intro', clip: 'clip-8s' } as const;

/** What a page may try within a viewing of eight seconds: waits grow from one failure to the next. */
const MOST_ATTEMPTS = 8;

const stage = new Stage();

/** Opens a page for a visitor whose browser lets nothing through to `host`; counts what it stopped. */
async function visitBlocked(address: string, host: string): Promise<{ visit: Visit; stopped: () => number }> {
  let stopped = 0;
  const visit = await stage.visitAddress(address, async (page) => {
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      const blocked = request.url().startsWith(host);
      if (blocked) stopped += 1;
      void (blocked ? request.abort('blockedbyclient') : request.continue());
    });
  });
  return { visit, stopped: () => stopped };
}

async function watch(visit: Visit): Promise<void> {
  await visit.play(VIDEO.id);
  await visit.untilEnded(VIDEO.id);
  await sleep(500);
  assert.deepEqual(visit.complaints, []);
  assert.ok((await visit.truth(VIDEO.id)).playedMs > 7_000);
}

test('a script that is blocked is a video without a script', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const { visit, stopped } = await visitBlocked(stage.site.add('a', scriptTagPage(collector.origin, [VIDEO])), collector.origin);
  await watch(visit);
  assert.equal(stopped(), 1);
  await visit.close();
});

test('batches that are blocked are tried a few times and in silence', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const page = await modulePage(trackAll(collector.origin), [VIDEO]);
  const { visit, stopped } = await visitBlocked(stage.site.add('b', page), collector.origin);
  await watch(visit);
  assert.ok(stopped() > 0 && stopped() <= MOST_ATTEMPTS, `${stopped()} attempts`);
  await visit.close();
});
