// Which core a page gets: WebAssembly, or the same in JavaScript.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { source } from './fake.mjs';

const { loader } = await source('loading');

const refused = async () => {
  throw new WebAssembly.CompileError('refused by the policy');
};
const EMPTY = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
const translated = async () => 'JavaScript';

test('the module is used where it may be', async () => {
  const core = await loader(async () => EMPTY, () => assert.fail('the second file was loaded'))();
  assert.equal(Object.keys(core).length, 0);
});

test('JavaScript comes in its place where it may not', async () => {
  assert.equal(await loader(refused, translated)(), 'JavaScript');
});

test('a page that wants JavaScript does not even try', async () => {
  assert.equal(await loader(() => assert.fail('it was tried'), translated, 'js')(), 'JavaScript');
});

/** Both cores as they ship, each with an instance of its own for each call. */
async function instances() {
  const { instantiate } = await import('../dist/quartile.core.js');
  const module = await WebAssembly.compile(readFileSync(new URL('../dist/quartile.wasm', import.meta.url)));
  return { js: instantiate, wasm: () => new WebAssembly.Instance(module).exports };
}

/** What a viewing of some seconds leaves to be sent; the texts are as long as they may be, so that memory grows. */
function viewing(core, { videos = 1, id = '/a.mp4' } = {}) {
  const put = (...texts) => {
    const room = new Uint8Array(core.memory.buffer, core.room(), 16384);
    return new TextEncoder().encodeInto(texts.map((text) => `${text}\0`).join(''), room).written;
  };
  core.start(put(''), 300, 1, 2 ** 32 - 1, 3, 4, 5, 1_790_000_000_000);
  const bodies = [];
  for (let video = 0; video < videos; video += 1) {
    const player = core.attach(put('vid', `${id}${video}`, 'vtitle', 'é'.repeat(200), 'vmedia', 'video'), 0);
    const observe = (signal, flags, pos, now, ...texts) =>
      core.observe(put(...texts), player, signal, flags, pos, 10, 1, 1, 0, 0, 0, now);
    observe(7, 9, 0, 10, `https://cdn.example${id}${video}`);
    observe(0, 9, 0, 10);
    observe(0, 8, 0, 20);
    for (let at = 0; at <= 9_750; at += 250) observe(0, 8, at / 1000, 60 + at);
    observe(0, 11, 10, 10_100);
  }
  core.page(0, 10_200);
  for (let request; (request = core.next()) >= 0; core.delivered(request >> 2, 2, 0, 0, 10_300)) {
    bodies.push(new TextDecoder().decode(new Uint8Array(core.memory.buffer, core.result(), core.result_length())));
  }
  return bodies;
}

test('both cores say the same', async () => {
  const { js, wasm } = await instances();
  const bodies = viewing(js());
  assert.ok(bodies.length > 0 && bodies[0].includes('"played_ms":'), bodies[0]);
  assert.deepEqual(bodies, viewing(wasm()));
});

test('a memory that grew is read as it is', async () => {
  const { js, wasm } = await instances();
  const core = js();
  const before = core.memory.buffer.byteLength;
  const bodies = viewing(core, { videos: 40 });
  assert.ok(core.memory.buffer.byteLength > before, 'it did not grow');
  assert.deepEqual(bodies, viewing(wasm(), { videos: 40 }));
});

test('each site has an instance of its own', async () => {
  const { js } = await instances();
  const [one, other] = [js(), js()];
  const said = viewing(one);
  assert.notEqual(one.memory.buffer, other.memory.buffer);
  assert.deepEqual(viewing(other), said);
});
