// A page, its elements and the WebAssembly module, as far as the shell touches them: what it tells the module is noted.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { build } from 'esbuild';
import { toText } from '../inline-wasm.mjs';

let copies = 0;

/** A module of the sources, compiled for Node. */
export async function source(name, wasm = '') {
  const entry = new URL(`../src/${name}.ts`, import.meta.url).pathname;
  const inline = {
    name: 'inline',
    setup: (build) => build.onLoad({ filter: /\.wasm$/ }, () => ({ contents: wasm, loader: 'text' })),
  };
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    write: false,
    plugins: [inline],
    define: { SDK: '"quartile-web/test"' },
  });
  // Another address each time: a module that was imported before would remember what it did then.
  const code = `${outputFiles[0].text}\n// ${(copies += 1)}`;
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
}

/** What is given to be instantiated: `\0asm` and a version. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** What the module exports; `calls` are the names and numbers of all calls, `requests` what it wants to send. */
function fakeModule() {
  const memory = { buffer: new ArrayBuffer(65536) };
  const fake = { calls: [], texts: {}, requests: [], due: Infinity, fails: false };
  let free = 1024;
  const read = (pointer, length) => new TextDecoder().decode(new Uint8Array(memory.buffer, pointer, length));
  const special = {
    memory,
    __wbindgen_malloc: (length) => (free += length) - length,
    __wbindgen_free: () => {},
    __wbindgen_add_to_stack_pointer: () => 512,
    put: (key, pointer, length) => (fake.texts[key] = read(pointer, length)),
    dim: (...at) => fake.calls.push(['dim', read(at[0], at[1]), read(at[2], at[3])]),
    core_next: () => (fake.requests.length ? fake.requests[0].bits : -1),
    core_poll: () => fake.due,
    core_body: (result) => {
      const bytes = new TextEncoder().encode(fake.requests.shift().body);
      new Uint8Array(memory.buffer, 2048).set(bytes);
      new Uint32Array(memory.buffer, result, 2).set([2048, bytes.length]);
    },
  };
  fake.exports = new Proxy(special, {
    get: (known, name) =>
      known[name] ??
      ((...numbers) => {
        if (fake.fails) throw new Error('trapped');
        fake.calls.push([name.replace('core_', ''), ...numbers.slice(1), { ...fake.texts }]);
        fake.texts = {};
        return 7;
      }),
  });
  return fake;
}

/** A media element. */
export class Media extends EventTarget {
  listeners = 0;
  tagName = 'VIDEO';
  attributes = {};
  currentSrc = 'https://cdn.example/a.mp4';
  currentTime = 0;
  duration = 10;
  playbackRate = 1;
  volume = 1;
  paused = true;
  ended = false;
  seeking = false;
  loop = false;
  autoplay = false;
  muted = false;
  readyState = 4;
  networkState = 1;
  preload = 'auto';
  played = { length: 0 };
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  addEventListener(...args) {
    this.listeners += 1;
    super.addEventListener(...args);
  }
  removeEventListener(...args) {
    this.listeners -= 1;
    super.removeEventListener(...args);
  }
  tell(type) {
    this.dispatchEvent(new Event(type));
  }
}

const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

/** A page that tracks for one site. `ready` lets the module begin; `sent` are the requests that were made. */
export async function stage(settings = {}, navigator = {}) {
  const { track } = await source('page', toText(EMPTY));
  const fake = fakeModule();
  let begin;
  const instantiate = (bytes) => {
    assert.deepEqual(bytes, EMPTY);
    return new Promise((resolve) => (begin = () => resolve({ instance: fake })));
  };
  define('window', new EventTarget());
  define('document', Object.assign(new EventTarget(), { hidden: false, referrer: '', fullscreenElement: null }));
  define('location', { href: 'https://site.example/watch?token=1#t', search: '?token=1&utm_source=mail' });
  define('navigator', { language: 'en', maxTouchPoints: 0, ...navigator });
  define('WebAssembly', { instantiate });
  const sent = [];
  const answer = { status: 200, body: { accepted: 1 }, headers: {} };
  define('fetch', (url, options) => {
    sent.push({ url, ...options });
    if (answer.status === 0) return Promise.reject(new TypeError('no network'));
    const headers = { get: (name) => answer.headers[name] ?? null };
    return Promise.resolve({ status: answer.status, headers, json: async () => answer.body });
  });
  let ended = 0;
  const quartile = track({ url: 'https://stats.example/v1/collect', site: 'demo', debug: false, ...settings }, () => ended++);
  const settle = async () => {
    for (let turns = 0; turns < 5; turns += 1) await turn();
  };
  const ready = async () => {
    begin();
    await settle();
  };
  /** The calls of one name since the last look, without their texts. */
  const calls = (name) => fake.calls.filter(([called]) => called === name).map((call) => call.slice(1, -1));
  return { quartile, fake, sent, answer, ready, settle, calls, endings: () => ended };
}
