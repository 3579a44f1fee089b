/** A site has a strict Content-Security-Policy: its viewings are counted, whether it allows WebAssembly or not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { watchBriefly } from '../harness/brief.ts';
import type { Visit } from '../harness/browser.ts';
import { Stage } from '../harness/stage.ts';
import { type Core, modulePage, scriptTagPage, trackAll } from '../harness/templates.ts';

const VIDEO = { id: 'intro', clip: 'clip-8s' } as const;
const SECOND_FILE = /quartile\.core\.js/;

/** Nothing but what is named: the page's own scripts, and the collector. */
const policy = (collector: string, scripts: string) =>
  `default-src 'none'; media-src 'self'; connect-src ${collector}; script-src ${scripts}`;

const stage = new Stage();

/** What a page asked for, and what its policy forbade, as the page was told. */
async function visit(address: string): Promise<{ visit: Visit; asked: string[]; forbidden: () => Promise<string[]> }> {
  const asked: string[] = [];
  const visit = await stage.visitAddress(address, async (page) => {
    page.on('request', (request) => asked.push(request.url()));
    await page.evaluateOnNewDocument(`
      window.forbidden = [];
      document.addEventListener('securitypolicyviolation', ({ blockedURI }) => forbidden.push(blockedURI));`);
  });
  return { visit, asked, forbidden: () => visit.run('forbidden') };
}

/** The script tag on a page whose policy lists where scripts may come from. */
async function byTag(core: Core, more = '') {
  const collector = await stage.collector();
  const rules = policy(collector.origin, `'self' ${collector.origin} ${more}`);
  const page = stage.site.add('strict', scriptTagPage(collector.origin, [VIDEO], core), rules);
  return { collector, ...(await visit(page)) };
}

test('a page that allows WebAssembly asks for one file', { timeout: 60_000 }, async () => {
  const { collector, visit, asked } = await byTag('wasm', "'wasm-unsafe-eval'");
  await watchBriefly(visit, collector, VIDEO.id);
  assert.ok(!asked.some((url) => SECOND_FILE.test(url)), asked.join('\n'));
  assert.deepEqual(visit.complaints, []);
});

test('a page that forbids WebAssembly gets the same in JavaScript, for one report of its policy', { timeout: 60_000 }, async () => {
  const { collector, visit, asked, forbidden } = await byTag('wasm');
  await visit.until('forbidden.length > 0');
  assert.deepEqual(await forbidden(), ['wasm-eval']);
  await watchBriefly(visit, collector, VIDEO.id);
  assert.equal(asked.filter((url) => SECOND_FILE.test(url)).length, 1);
  assert.ok(visit.complaints.every((complaint) => complaint.includes('wasm-unsafe-eval')), visit.complaints.join('\n'));
});

test('a page that says so from the first does not even try', { timeout: 60_000 }, async () => {
  const { collector, visit, forbidden } = await byTag('js');
  await visit.play(VIDEO.id);
  await visit.untilPosition(VIDEO.id, 1);
  assert.deepEqual(await forbidden(), []);
  await watchBriefly(visit, collector, VIDEO.id);
  assert.deepEqual(visit.complaints, []);
});

test('a script with a nonce brings its second file along', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const nonce = 'r4nd0m';
  const html = scriptTagPage(collector.origin, [VIDEO]).replaceAll('<script', `<script nonce="${nonce}"`);
  const page = stage.site.add('nonce', html, policy(collector.origin, `'nonce-${nonce}'`));
  const { visit: visited, asked } = await visit(page);
  await watchBriefly(visited, collector, VIDEO.id);
  assert.equal(asked.filter((url) => SECOND_FILE.test(url)).length, 1);
});

test('the npm package finds its second file, too', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const html = (await modulePage(trackAll(collector.origin), [VIDEO])).replaceAll('<script', '<script nonce="n"');
  const page = stage.site.add('module-strict', html, policy(collector.origin, "'self' 'nonce-n'"));
  const { visit: visited, asked } = await visit(page);
  await watchBriefly(visited, collector, VIDEO.id);
  assert.equal(asked.filter((url) => SECOND_FILE.test(url)).length, 1);
});
