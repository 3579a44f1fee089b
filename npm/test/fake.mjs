// A page, its elements and the WebAssembly module, as far as the shell touches them: what it tells the module is noted.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { build } from 'esbuild';
import { decode } from '../module/decoder.mjs';
import { encode } from '../module/encode.mjs';

let copies = 0;

/** A module of the sources, compiled for Node. */
export async function source(name, module = '') {
  const entry = new URL(`../src/${name}.ts`, import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    write: false,
    external: ['./quartile.core.js'],
    define: { SDK: '"quartile-web/test"', MODULE: JSON.stringify(module) },
  });
  // Another address each time: a module that was imported before would remember what it did then.
  const code = `${outputFiles[0].text}\n// ${(copies += 1)}`;
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
}

/** What is given to be instantiated: `\0asm` and a version, and no function. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 10, 1, 0);

/** What the module exports; `calls` are the names and numbers of all calls, `requests` what it wants to send. */
function fakeModule() {
  const memory = { buffer: new ArrayBuffer(65536) };
  const fake = { calls: [], requests: [], due: Infinity, fails: false };
  const [ROOM, RESULT] = [1024, 32768];
  /** Which calls are told first how many bytes of text wait for them. */
  const TAKES_TEXTS = ['start', 'attach', 'describe', 'observe', 'user'];
  const read = (length) => new TextDecoder().decode(new Uint8Array(memory.buffer, ROOM, length)).split('\0').slice(0, -1);
  let length = 0;
  const special = {
    memory,
    // It is what a promise is resolved with, and no promise itself.
    then: null,
    room: () => ROOM,
    next: () => {
      const request = fake.requests.shift();
      if (!request) return -1;
      const bytes = new TextEncoder().encode(request.body);
      new Uint8Array(memory.buffer, RESULT).set(bytes);
      length = bytes.length;
      return request.bits;
    },
    result: () => RESULT,
    result_length: () => length,
    wake_at: () => fake.due,
    snapshot: () => {
      const bytes = new TextEncoder().encode(fake.shows);
      new Uint8Array(memory.buffer, RESULT).set(bytes);
      length = bytes.length;
    },
  };
  fake.exports = new Proxy(special, {
    get: (known, name) =>
      name in known ? known[name] :
      ((...numbers) => {
        if (fake.fails) throw new Error('trapped');
        const texts = TAKES_TEXTS.includes(name) ? read(numbers.shift()) : [];
        fake.calls.push([name, ...numbers, texts]);
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

const storage = (kept = new Map()) => ({
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
});

/** A page that tracks for one site, in a browser that has `kept` something. `ready` lets the module begin; `sent` are the requests that were made. */
export async function stage(settings = {}, navigator = {}, kept = new Map()) {
  const { track } = await source('page');
  const { inlined } = await source('inlined', encode(EMPTY));
  const { loader } = await source('loading');
  const load = loader(inlined, () => assert.fail('WebAssembly was refused'));
  const fake = fakeModule();
  let begin;
  const compile = async (bytes) => assert.deepEqual(bytes, decode(encode(EMPTY)));
  const instantiate = () => new Promise((resolve) => (begin = () => resolve(fake)));
  define('window', Object.assign(new EventTarget(), { localStorage: storage(kept), sessionStorage: storage(kept) }));
  define('document', Object.assign(new EventTarget(), { hidden: false, referrer: '', fullscreenElement: null }));
  define('location', { href: 'https://site.example/watch?token=1#t', search: '?token=1&utm_source=mail' });
  define('navigator', { language: 'en', maxTouchPoints: 0, ...navigator });
  define('WebAssembly', { compile, instantiate });
  const views = [];
  define('IntersectionObserver', class {
    constructor(act) {
      this.act = act;
    }
    observe(element) {
      views.push({ element, show: (intersectionRatio) => this.act([{ intersectionRatio }]) });
    }
    disconnect() {
      views.splice(0, views.length, ...views.filter(({ show }) => show === this.show));
    }
  });
  const sent = [];
  const answer = { status: 200, body: { accepted: 1 }, headers: {} };
  define('fetch', (url, options) => {
    sent.push({ url, ...options });
    if (answer.status === 0) return Promise.reject(new TypeError('no network'));
    const headers = { get: (name) => answer.headers[name] ?? null };
    return Promise.resolve({ status: answer.status, headers, json: async () => answer.body });
  });
  let ended = 0;
  const quartile = track({ url: 'https://stats.example/v1/collect', site: 'demo', debug: false, consent: 'granted', identity: 'none', load, ...settings }, () => ended++);
  const settle = async () => {
    for (let turns = 0; turns < 5; turns += 1) await turn();
  };
  const ready = async () => {
    await settle();
    begin();
    await settle();
  };
  /** The calls of one name since the last look, without their texts. */
  const calls = (name) => fake.calls.filter(([called]) => called === name).map((call) => call.slice(1, -1));
  return { quartile, fake, sent, answer, ready, settle, calls, views, endings: () => ended };
}
