/** A video is in a frame of another page, of the same origin or of another site: it is counted as anywhere else. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Frame } from 'puppeteer-core';

import { settles } from '../harness/eventually.ts';
import { assertBetween, assertMetrics } from '../harness/expect.ts';
import { Stage } from '../harness/stage.ts';
import { CORES, type Core, scriptTagPage } from '../harness/templates.ts';

const stage = new Stage();

/** The frame of a page, with its video in it. */
async function framed(collector: string, host: string, core: Core) {
  const path = `inner-${core}`;
  stage.site.add(path, scriptTagPage(collector, [{ id: 'intro', clip: 'clip-8s' }], core));
  const source = stage.site.address(path, host);
  const outer = stage.site.add('outer', `<!doctype html><title>A frame</title>
    <iframe src="${source}" width="640" height="400" allow="autoplay"></iframe>`);
  const visit = await stage.visitAddress(outer);
  const frame = visit.page.frames().find((frame) => frame.url() === source);
  assert.ok(frame, 'the frame did not load');
  return { visit, frame, source };
}

const at = (frame: Frame) => frame.evaluate("viewer.video('intro').currentTime") as Promise<number>;

for (const [what, host] of [['of the same origin', '127.0.0.1'], ['of another site', 'localhost']] as const) {
  for (const core of CORES) {
    test(`a frame ${what} (${core})`, { timeout: 60_000 }, async () => {
      const collector = await stage.collector();
      const { visit, frame, source } = await framed(collector.origin, host, core);
      await frame.evaluate("viewer.play('intro')");
      await frame.waitForFunction("viewer.video('intro').currentTime >= 2", { polling: 50 });
      const seen = await at(frame);
      await visit.close();
      await settles(async () => {
        const [row] = await collector.report({ metrics: ['views', 'plays', 'minutes_viewed'], dimensions: ['domain', 'page'] });
        const { hostname, pathname } = new URL(source);
        assertMetrics(row ?? {}, { domain: hostname, page: pathname, views: 1, plays: 1 });
        assertBetween('milliseconds played', Number(row?.['minutes_viewed']) * 60_000, seen * 1000 - 700, seen * 1000 + 1200);
      });
      assert.deepEqual(visit.complaints, []);
    });
  }
}
