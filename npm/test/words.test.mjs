// Texts on their way to the wire.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { build } from 'esbuild';

/** A module of the sources, compiled for Node. */
async function source(name) {
  const entry = new URL(`../src/${name}.ts`, import.meta.url).pathname;
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

const limits = await source('limits');
const element = await source('element');

test('the limits are those of the wire', () => {
  const wire = readFileSync(new URL('../../protocol/src/limits.rs', import.meta.url), 'utf8');
  const names = Object.keys(limits).filter((name) => name !== 'cut');
  assert.ok(names.length > 3);
  for (const name of names) {
    const value = new RegExp(`pub const ${name}: usize = ([\\d_]+);`).exec(wire)?.[1];
    assert.equal(limits[name], Number(value?.replaceAll('_', '')), name);
  }
});

test('a text is cut between characters, by its bytes', () => {
  const { cut } = limits;
  assert.equal(cut('héllo', 2), 'h');
  assert.equal(cut('héllo', 3), 'hé');
  assert.equal(cut('héllo', 6), 'héllo');
  assert.equal(cut('👍👍', 7), '👍');
  assert.equal(cut('a'.repeat(300), 200), 'a'.repeat(200));
  for (const nothing of ['', null, undefined, 7, {}]) assert.equal(cut(nothing, 9), undefined);
});

test('only what a server serves has a path', () => {
  assert.equal(element.path('https://cdn.example/a/b.mp4?token=1#t=2'), '/a/b.mp4');
  assert.equal(element.path('http://cdn.example:8080/a'), '/a');
  for (const other of ['https://cdn.example', 'https://cdn.example?a=/b', 'blob:https://a.example/0d8c', 'mediastream:', '']) {
    assert.equal(element.path(other), undefined, other);
  }
});

test('the markup says what the site does not', () => {
  const markup = (attributes) => ({ tagName: 'VIDEO', getAttribute: (name) => attributes[name] ?? null });
  const described = (attributes, said) => {
    const { id, title } = element.video(markup(attributes), said, 'https://cdn.example/a.mp4');
    return [id, title];
  };
  assert.deepEqual(described({}, undefined), ['/a.mp4', undefined]);
  assert.deepEqual(described({ 'data-video-id': '7', title: 'Seven' }, {}), ['7', 'Seven']);
  assert.deepEqual(described({ 'data-video-id': '7', 'aria-label': 'x' }, { id: '8', title: 'Eight' }), ['8', 'Eight']);
});

test('dimensions are bounded texts', () => {
  assert.deepEqual(element.dims({ plan: 'pro', seats: 3 }), ['plan', 'pro', 'seats', '3']);
  assert.deepEqual(element.dims(undefined), []);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`n${index}`, 'v']));
  assert.equal(element.dims(many).length, 2 * limits.CUSTOM_NAMES);
});
