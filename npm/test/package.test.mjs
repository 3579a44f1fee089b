// The package as it is published, in the eyes of those who check packages.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { publint } from 'publint';

const folder = new URL('..', import.meta.url).pathname;
const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url));
const manifest = JSON.parse(read('package.json'));

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: folder, strict: true });
  assert.deepEqual(messages, []);
});

test('its types are the right ones wherever they are looked for', () => {
  const entries = Object.keys(manifest.exports).filter((name) => manifest.exports[name].types);
  const attw = new URL('../../node_modules/.bin/attw', import.meta.url).pathname;
  const args = ['--pack', '.', '--profile', 'esm-only', '--format', 'json', '--entrypoints', ...entries.map((name) => name.slice(2) || '.')];
  const { analysis } = JSON.parse(execFileSync(attw, args, { cwd: folder, encoding: 'utf8' }));
  assert.deepEqual(Object.keys(analysis.entrypoints).sort(), entries.sort());
  // What is for `require` alone does not apply: the package is of modules.
  const problems = analysis.problems.filter(({ resolutionKind }) => !['node10', 'node16-cjs'].includes(resolutionKind));
  assert.deepEqual(problems, []);
});

test('types come first, and every file of an entry is there', () => {
  for (const entry of Object.values(manifest.exports)) {
    const files = typeof entry === 'string' ? [entry] : Object.values(entry);
    if (typeof entry !== 'string') assert.equal(Object.keys(entry)[0], 'types');
    for (const file of files) assert.ok(existsSync(new URL(`../${file}`, import.meta.url)), file);
  }
});

test('the second file has the name that the script asks for', () => {
  const name = createHash('sha256').update(read('dist/quartile.core.js')).digest('hex').slice(0, 24);
  assert.ok(read('dist/quartile.js').includes(`quartile.core.js?${name}`));
});

test('it is told which module this is, and what made it', () => {
  const { sha256, rustc, binaryen, version } = JSON.parse(read('dist/provenance.json'));
  assert.equal(sha256, createHash('sha256').update(read('dist/quartile.wasm')).digest('hex'));
  assert.equal(version, manifest.version);
  assert.match(`${rustc} ${binaryen}`, /^rustc \d.* \d+\.\d+\.\d+$/);
});

test('the names that the build shortens are none that a page, a batch or the module knows', () => {
  const shortened = /mangleProps: \/\^\((.*)\)\$\//.exec(read('build.mjs'))[1].split('|');
  assert.ok(shortened.length > 10);
  const known = ['src/types.ts', 'src/core.ts', 'src/context.ts'].map((file) => read(file)).join('\n');
  for (const name of shortened) assert.doesNotMatch(known, new RegExp(`(^ *|[{(,] )(readonly )?${name}[?]?[:(]|\`${name}\``, 'm'), name);
});
