// Texts on their way to the wire.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { source } from './fake.mjs';

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

test('the module has as much room for texts as the shell believes', async () => {
  const { ROOM } = await source('boundary');
  const state = readFileSync(new URL('../../sdk-wasm/src/state.rs', import.meta.url), 'utf8');
  assert.equal(ROOM, Number(/const ROOM: usize = ([\d_]+);/.exec(state)?.[1].replaceAll('_', '')));
});

test('a text is cut between characters, by its bytes', () => {
  const { cut } = limits;
  assert.equal(cut('héllo', 2), 'h');
  assert.equal(cut('héllo', 3), 'hé');
  assert.equal(cut('héllo', 6), 'héllo');
  assert.equal(cut('👍👍', 7), '👍');
  assert.equal(cut('a\0b', 9), 'ab', 'a NUL would end it');
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

const markup = (attributes, more) => ({ tagName: 'VIDEO', getAttribute: (name) => attributes[name] ?? null, ...more });
const described = (said, attributes = {}, more = {}) => {
  const texts = element.subject(markup(attributes, more), said, 'https://cdn.example/a.mp4');
  return Object.fromEntries(texts.flatMap((text, index) => (index % 2 || texts[index + 1] === undefined ? [] : [[text, texts[index + 1]]])));
};

test('the markup says what the site does not', () => {
  const video = (attributes, video) => {
    const { vid, vtitle } = described({ video }, attributes);
    return [vid, vtitle];
  };
  assert.deepEqual(video({}, undefined), ['/a.mp4', undefined]);
  assert.deepEqual(video({ 'data-video-id': '7', title: 'Seven' }, {}), ['7', 'Seven']);
  assert.deepEqual(video({ 'data-video-id': '7', 'aria-label': 'x' }, { id: '8', title: 'Eight' }), ['8', 'Eight']);
});

test('what is said of video and player has the names of the boundary', () => {
  const video = { id: '1', title: 'One', series: 'Numbers', category: 'maths', secret: 'x' };
  const player = { name: 'video.js', version: '8', engine: 'hls.js 1', protocol: 'hls', cdn: 'edge' };
  assert.deepEqual(described({ video, player }, {}, { tagName: 'AUDIO', autoplay: true, muted: false }), {
    vid: '1', vtitle: 'One', vseries: 'Numbers', vcategory: 'maths', vmedia: 'audio',
    pname: 'video.js', pversion: '8', pengine: 'hls.js 1', pprotocol: 'hls', pcdn: 'edge',
    Pautoplay: 'true', Pmuted_start: 'false',
  });
  assert.deepEqual([undefined, {}, { kind: 'vod' }, { kind: 'live' }, { kind: 'x' }].map(element.kind), [0, 0, 1, 2, 0]);
});

test('dimensions are bounded texts', () => {
  const dims = (dims) => Object.entries(described({ dims })).filter(([name]) => name[0] === 'd');
  assert.deepEqual(dims({ plan: 'pro', seats: 3, '': 'nameless' }), [['dplan', 'pro'], ['dseats', '3']]);
  assert.deepEqual(dims(undefined), []);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`n${index}`, 'v']));
  assert.equal(dims(many).length, limits.CUSTOM_NAMES);
});

test('the state of an element is eight bits', () => {
  const still = { readyState: 4, networkState: 2 };
  assert.equal(element.flags(still), 8);
  assert.equal(element.flags({ ...still, readyState: 0 }), 16);
  assert.equal(element.flags({ readyState: 0, networkState: 1, preload: 'none' }), 8 + 16);
  assert.equal(element.flags({ ...still, paused: true, ended: true, seeking: true }), 1 + 2 + 4 + 8);
  assert.equal(element.flags({ ...still, loop: true, autoplay: true, muted: true }), 8 + 32 + 64 + 128);
});

test('only failures of the media are failures', () => {
  assert.deepEqual(element.failure({ error: { code: 3, message: 'broken' } }), ['MEDIA_ERR_DECODE', 'broken']);
  for (const error of [null, undefined, { code: 1 }, { code: 9 }]) assert.equal(element.failure({ error }), undefined);
});

test('players park on placeholders', () => {
  const { isPlaceholder } = element;
  for (const parked of ['', 'data:video/mp4,', 'about:blank', 'https://cdn.example/blank.mp4']) assert.ok(isPlaceholder(parked));
  for (const shown of ['https://cdn.example/a.mp4', 'blob:https://a.example/1', 'mediastream:']) assert.ok(!isPlaceholder(shown));
});
