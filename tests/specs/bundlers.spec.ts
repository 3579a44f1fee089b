/** A developer installs the npm package and bundles it: viewings are counted, with either core. */

import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { watchBriefly } from '../harness/brief.ts';
import { BUNDLERS, Tarball } from '../harness/project.ts';
import { Stage } from '../harness/stage.ts';
import { page, video } from '../harness/templates.ts';

const VIDEO = { id: 'intro', clip: 'clip-8s' } as const;

const stage = new Stage();
let tarball: Tarball;
before(async () => {
  tarball = await Tarball.pack();
});
after(() => tarball.remove());

/** Watches a video on a page with the bundles in a folder; `policy` is what the page allows of scripts. */
async function watch(name: string, out: string, policy: string): Promise<string[]> {
  const collector = await stage.collector();
  const body = `${video(VIDEO)}<script type="module" src="/${name}/main.js"></script>`;
  stage.site.addFolder(name, out);
  const address = stage.site.add(`${name}.html`, page('', body), `script-src 'self' ${policy}`);
  const asked: string[] = [];
  const visit = await stage.visitAddress(`${address}?collector=${encodeURIComponent(collector.origin)}`, async (tab) => {
    tab.on('request', (request) => asked.push(new URL(request.url()).pathname));
  });
  await watchBriefly(visit, collector, VIDEO.id);
  assert.deepEqual(visit.complaints.filter((complaint) => !complaint.includes('wasm-unsafe-eval')), []);
  return asked.filter((path) => path.startsWith(`/${name}/`));
}

for (const bundler of Object.keys(BUNDLERS)) {
  test(`bundled by ${bundler}`, { timeout: 120_000 }, async () => {
    const out = await tarball.bundle(bundler);
    const asked = await watch(`${bundler}-wasm`, out, "'wasm-unsafe-eval'");
    assert.deepEqual(asked, [`/${bundler}-wasm/main.js`], 'one request, where WebAssembly may be');
    const strict = await watch(`${bundler}-js`, out, '');
    assert.equal(strict.length, 2, `the second file, where it may not: ${strict.join(' ')}`);
  });
}

test('the module as a file of its own, by vite', { timeout: 120_000 }, async () => {
  const out = await tarball.bundle('vite', 'slim.js');
  const asked = await watch('slim', out, "'wasm-unsafe-eval'");
  assert.equal(asked.length, 2, asked.join(' '));
  assert.match(asked[1] ?? '', /\.wasm$/);
});

// It has 300 MB of its own.
if (process.env['QUARTILE_TEST_FULL']) {
  test('rendered on a server and bundled by Next.js', { timeout: 600_000 }, async () => {
    const collector = await stage.collector();
    const out = await tarball.next();
    stage.site.addFolder('_next', join(out, '_next'));
    const address = stage.site.add('', await readFile(join(out, 'index.html'), 'utf8'));
    const inPage = await readFile(new URL('../harness/in-page.js', import.meta.url), 'utf8');
    const visit = await stage.visitAddress(`${address}?collector=${encodeURIComponent(collector.origin)}`, async (tab) => {
      await tab.evaluateOnNewDocument(inPage);
    });
    await watchBriefly(visit, collector, VIDEO.id);
    assert.deepEqual(visit.complaints, []);
  });
}

test('the tarball holds what it names, and nothing else', async () => {
  const folder = join(await tarball.project(), 'node_modules/quartile');
  const files = await readdir(folder, { recursive: true });
  const expected = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json', 'dist/provenance.json', 'dist/quartile.wasm'];
  for (const file of expected) assert.ok(files.includes(file), `${file} is missing`);
  assert.deepEqual(files.filter((file) => /(^|\/)(src|test|generated|module)(\/|$)/.test(file)), []);
  const use = join(folder, '../../server.mjs');
  await writeFile(use, ['quartile', 'quartile/slim', 'quartile/js'].map((entry) => `await import('${entry}');`).join('\n'));
  await import(use);
});
