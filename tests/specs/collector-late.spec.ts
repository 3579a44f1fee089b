/**
 * The collector is down when a viewer begins to watch; then a proxy in its place says so in a page, with status 200;
 * then it comes up: nothing of the viewing is lost.
 */

import assert from 'node:assert/strict';
import { type Server, createServer } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, settles } from '../harness/eventually.ts';
import { assertMetrics, assertPlayed } from '../harness/expect.ts';
import { LOOPBACK } from '../harness/ports.ts';
import { Stage } from '../harness/stage.ts';

/** How long the collector is down at least; the page stays open until it has said everything. */
const DOWN_MS = 15_000;

/** The SDK waits longer after each failure, so this long after it was down it may still be waiting. */
const PATIENCE_MS = 40_000;

const EXPECTED = { views: 1, impressions: 1, plays: 1, ends: 1, unique_viewers: 1, reached_25: 1, reached_100: 1 };

const stage = new Stage();

/** What proxies show while nothing is behind them. */
async function maintenancePage(port: number): Promise<{ server: Server; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.method === 'POST') asked += 1;
    const headers = { 'content-type': 'text/html', 'access-control-allow-origin': '*' };
    response.writeHead(200, headers).end('<p>Back soon</p>');
  });
  await new Promise<void>((listening) => server.listen(port, LOOPBACK, listening));
  return { server, asked: () => asked };
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}

test('a viewing that began while the collector was down is counted whole', { timeout: 120_000 }, async (t) => {
  const collector = await stage.absentCollector();
  const down = sleep(DOWN_MS);
  const visit = await stage.visitBundled(collector.origin, [{ id: 'intro', clip: 'clip-8s' }]);
  await visit.play('intro');
  await visit.untilEnded('intro');
  const truth = await visit.truth('intro');
  assert.notEqual(visit.networkNotes.length, 0, 'the page must have tried while nothing was there');
  const proxy = await maintenancePage(Number(new URL(collector.origin).port));
  t.after(() => stop(proxy.server));
  await eventually(() => assert.ok(proxy.asked() > 0, 'the page must have asked the proxy'), PATIENCE_MS);
  await Promise.all([down, stop(proxy.server)]);

  await collector.start();
  await settles(async () => {
    const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed']);
    assertMetrics(row, EXPECTED);
    assertPlayed(row, truth.playedMs);
  }, PATIENCE_MS);
  await visit.close();
  await settles(async () => {
    const row = await collector.totals([...Object.keys(EXPECTED), 'minutes_viewed', 'stops']);
    assertMetrics(row, { ...EXPECTED, stops: 1 });
    assertPlayed(row, truth.playedMs);
  });
  assert.deepEqual(visit.complaints, []);
});
