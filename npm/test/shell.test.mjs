// What the module is told of a page and its elements, and what is sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Media, stage } from './fake.mjs';

const [OBSERVED, PAUSED, SEEKING, JOINED, SOURCE, FAILED, FRAMES] = [0, 1, 4, 6, 7, 8, 17];

/** The signals that the module was told, in order. */
const signals = ({ calls }) => calls('observe').map(([, signal]) => signal);

/** A page whose module is there, with one element that is tracked. */
async function watching(settings, navigator) {
  const page = await stage(settings, navigator);
  const element = new Media();
  const view = page.quartile.track(element, { video: { title: 'A' } });
  await page.ready();
  return { ...page, element, view };
}

test('a page begins with who it is and whether it is seen', async () => {
  const { fake, calls } = await watching({ user: 'ada', viewer: 'v1' });
  const [start, page, attach] = fake.calls;
  assert.deepEqual([start[0], start.at(-1)], ['start', ['ada']]);
  assert.deepEqual(page.slice(0, 2), ['page', 1]);
  assert.deepEqual(attach.at(-1).slice(0, 6), ['vid', '/a.mp4', 'vtitle', 'A', 'vmedia', 'video']);
  assert.equal(calls('page').length, 1);
});

test('who asks for privacy is nobody', async () => {
  const { fake, element, sent, settle } = await watching({ user: 'ada', viewer: 'v1' }, { globalPrivacyControl: true });
  assert.deepEqual(fake.calls[0].at(-1), ['']);
  fake.requests.push({ bits: 2, body: '"views":[]' });
  element.tell('timeupdate');
  await settle();
  const { session, viewer } = JSON.parse(sent[0].body);
  assert.deepEqual([session, viewer], [undefined, undefined]);
});

test('an element is looked at when it is met', async () => {
  const page = await watching();
  assert.deepEqual(signals(page), [SOURCE, OBSERVED]);
});

test('playback that was asked for before the module was there began then', async () => {
  const page = await stage();
  const element = new Media();
  page.quartile.track(element);
  await sleep(20);
  element.currentTime = 3;
  element.paused = false;
  element.tell('play');
  element.currentTime = 4;
  await sleep(20);
  await page.ready();
  const told = page.calls('observe').map(([, signal, flags, pos, ...more]) => [signal, flags & 1, pos, more.at(-1)]);
  const [met, , asked] = told;
  assert.deepEqual(told.map((one) => one.slice(0, 3)), [[SOURCE, 1, 0], [OBSERVED, 1, 0], [OBSERVED, 0, 3]]);
  assert.ok(asked[3] - met[3] >= 15 && performance.now() - asked[3] >= 15);
});

test('what an element does before the module is there is told afterwards, in order and as it was', async () => {
  const page = await stage();
  const element = new Media();
  page.quartile.track(element);
  const acts = [
    ['play', { paused: false, currentTime: 0 }],
    ['pause', { paused: true, currentTime: 1 }],
    ['seeking', { seeking: true, currentTime: 6 }],
    ['loadstart', { seeking: false, currentTime: 0, currentSrc: 'https://cdn.example/b.mp4' }],
    ['ended', { ended: true, currentTime: 10 }],
  ];
  for (const [type, state] of acts) {
    Object.assign(element, state).tell(type);
    await sleep(5);
  }
  await page.ready();
  const told = page.calls('observe').slice(2).map(([, signal, flags, pos]) => [signal, flags & 7, pos]);
  assert.deepEqual(told, [[OBSERVED, 0, 0], [PAUSED, 1, 1], [SEEKING, 5, 6], [SOURCE, 1, 0], [OBSERVED, 3, 10]]);
  const times = page.calls('observe').map((call) => call.at(-1));
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(new Set(times).size >= acts.length);
  const described = page.fake.calls.find(([name]) => name === 'describe');
  assert.equal(described.at(-1)[1], '/b.mp4');
});

test('a module that never comes costs no more memory than some minutes of playback', async () => {
  const page = await stage();
  const element = new Media();
  page.quartile.track(element);
  for (let times = 0; times < 5000; times += 1) element.tell('timeupdate');
  await page.ready();
  const many = signals(page).length;
  assert.ok(many > 1900 && many <= 2001, `${many} signals waited`);
});

test('playback that was under way before the first look has joined', async () => {
  const page = await stage();
  const element = Object.assign(new Media(), { paused: false, played: { length: 1 } });
  page.quartile.track(element);
  element.tell('play');
  await page.ready();
  assert.deepEqual(signals(page), [SOURCE, JOINED, OBSERVED]);
});

test('what failed before the module was there has failed', async () => {
  const page = await stage();
  page.quartile.track(Object.assign(new Media(), { error: { code: 4, message: 'gone' } }));
  await page.ready();
  assert.deepEqual(signals(page), [SOURCE, OBSERVED, FAILED]);
});

test('of several sources that all failed the element has no error, and has failed all the same', async () => {
  const page = await watching();
  page.fake.calls.length = 0;
  page.element.networkState = 3;
  page.element.tell('error');
  assert.deepEqual(signals(page), [FAILED]);
  assert.deepEqual(page.fake.calls.at(-1).at(-1), ['MEDIA_ERR_SRC_NOT_SUPPORTED', '']);
});

test('what becomes of the sources of an engine, the engine tells', async () => {
  const page = await watching();
  Object.assign(page.element, { currentSrc: 'blob:https://site.example/1', networkState: 3 });
  page.element.tell('loadstart');
  page.fake.calls.length = 0;
  page.element.tell('error');
  assert.deepEqual(signals(page), []);
});

test('what has no source yet has not failed', async () => {
  const page = await stage();
  page.quartile.track(Object.assign(new Media(), { networkState: 3 }));
  await page.ready();
  assert.deepEqual(signals(page), [SOURCE, OBSERVED]);
});

test('events are signals', async () => {
  const page = await watching();
  const { element, fake } = page;
  fake.calls.length = 0;
  ['timeupdate', 'pause', 'seeking', 'error'].forEach((type) => element.tell(type));
  element.error = { code: 2, message: 'gone' };
  element.tell('error');
  assert.deepEqual(signals(page), [OBSERVED, PAUSED, SEEKING, FAILED]);
  assert.deepEqual(fake.calls.at(-1).at(-1), ['MEDIA_ERR_NETWORK', 'gone']);
  assert.equal(page.calls('observe').at(-1)[7], 1, 'fatal');
});

test('a placeholder that cannot be had is no failure', async () => {
  const page = await watching();
  Object.assign(page.element, { currentSrc: 'https://player.example/blank.mp4', error: { code: 4, message: 'gone' } });
  page.element.tell('loadstart');
  page.fake.calls.length = 0;
  page.element.tell('error');
  assert.deepEqual(signals(page), []);
});

test('another source that comes without a word is a new source', async () => {
  const page = await watching();
  page.fake.calls.length = 0;
  page.element.currentSrc = 'https://cdn.example/b.mp4';
  page.element.tell('suspend');
  page.element.tell('suspend');
  assert.deepEqual(signals(page), [SOURCE, OBSERVED, OBSERVED]);
});

test('a new source is described before it is shown, a placeholder is not', async () => {
  const { element, fake } = await watching();
  fake.calls.length = 0;
  element.currentSrc = 'https://cdn.example/b.mp4';
  element.tell('loadstart');
  assert.deepEqual(fake.calls.map(([name]) => name), ['describe', 'observe']);
  assert.equal(fake.calls[0].at(-1)[1], '/b.mp4');
  assert.equal(fake.calls[1].at(-1)[0], 'https://cdn.example/b.mp4');
  fake.calls.length = 0;
  element.currentSrc = '';
  element.tell('emptied');
  assert.deepEqual(fake.calls.map(([name]) => name), ['observe']);
});

test('what only the player knows is told in the numbers and texts of its signals', async () => {
  const { fake, view } = await watching();
  fake.calls.length = 0;
  view.tell({ rendition: { width: 640, height: 360, kbps: 800, auto: true }, bytes: 9, latencyMs: 4, live: true });
  view.tell({ error: { code: 'fragLoadError', message: 'gone', fatal: false }, captions: false, audio: 'fr' });
  view.tell({ adBreak: true, ad: { moment: 'quartile', percent: 25 } });
  // The signal with its three numbers and the texts.
  const told = fake.calls.map((call) => [call[2], ...call.slice(8, 11), ...call.at(-1)]);
  assert.deepEqual(told, [
    [20, 1, 0, 0],
    [16, 640, 360, 800, 'auto'],
    [18, 9, 0, 0],
    [19, 4, 0, 0],
    [14, 0, 0, 0, ''],
    [15, 0, 0, 0, 'fr'],
    [FAILED, 0, 0, 0, 'fragLoadError', 'gone'],
    [21, 1, 0, 0],
    [22, 1, 25, 0],
  ]);
});

test('the manifest behind a blob is what is shown: the first is learned, another is another source', async () => {
  const { element, fake, view } = await watching();
  const told = () => fake.calls.splice(0).map(([name, ...rest]) => [name, rest.at(-1)[name === 'describe' ? 1 : 0]]);
  element.currentSrc = 'blob:https://site.example/1';
  element.tell('loadstart');
  assert.deepEqual(told().at(-1), ['observe', 'blob:https://site.example/1']);
  view.tell({ source: 'https://cdn.example/a.m3u8' });
  assert.deepEqual(told(), [['describe', '/a.m3u8'], ['observe', 'blob:']]);
  view.tell({ source: 'https://cdn.example/a.m3u8' });
  assert.deepEqual(told(), []);
  view.tell({ source: 'https://cdn.example/b.m3u8' });
  assert.deepEqual(told(), [['describe', '/b.m3u8'], ['observe', 'https://cdn.example/b.m3u8']]);
});

test('what becomes known of the player is added to what was said of it', async () => {
  const { fake, view } = await watching();
  view.tell({ player: { name: 'video.js' } });
  fake.calls.length = 0;
  view.tell({ player: { engine: 'vhs' } });
  const [name, ...rest] = fake.calls[0];
  const texts = rest.at(-1);
  assert.equal(name, 'describe');
  assert.deepEqual(['pname', 'pengine'].map((word) => texts[texts.indexOf(word) + 1]), ['video.js', 'vhs']);
});

test('one frame is asked for at a time', async () => {
  const page = await stage();
  const asked = [];
  const element = Object.assign(new Media(), { requestVideoFrameCallback: (callback) => asked.push(callback) });
  page.quartile.track(element);
  await page.ready();
  element.tell('play');
  element.tell('play');
  assert.equal(asked.length, 1);
  asked[0]();
  assert.equal(signals(page).at(-1), 5);
  element.tell('play');
  assert.equal(asked.length, 2);
});

test('players are looked at before the page is hidden, and frames are counted', async () => {
  const { element, fake, calls } = await watching();
  fake.calls.length = 0;
  element.getVideoPlaybackQuality = () => ({ totalVideoFrames: 90, droppedVideoFrames: 3 });
  document.hidden = true;
  document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual(fake.calls.map(([name]) => name), ['observe', 'page']);
  const [, signal, , , , , , total, dropped] = calls('observe')[0];
  assert.deepEqual([signal, total, dropped], [FRAMES, 90, 3]);
});

test('a page that comes back is looked at anew; one that is only shown is not back', async () => {
  const { fake } = await watching();
  fake.calls.length = 0;
  window.dispatchEvent(new Event('pageshow'));
  assert.equal(fake.calls.length, 0);
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  assert.deepEqual(fake.calls.map(([name]) => name), ['observe', 'page', 'observe']);
});

test('the one timer rings when the module wants to look, after a look', async () => {
  const { element, fake, calls } = await watching();
  fake.due = performance.now() + 20;
  element.tell('timeupdate');
  fake.due = Infinity;
  fake.calls.length = 0;
  await sleep(60);
  assert.deepEqual(fake.calls.map(([name]) => name), ['observe', 'timeout']);
  assert.equal(calls('timeout').length, 1);
});

test('what must be whole carries the page and the device', async () => {
  const { element, fake, sent, settle, calls, answer } = await watching();
  answer.body = { accepted: 1, server_time: 5, retry_after_ms: 9 };
  fake.requests.push({ bits: 3 * 4 + 2, body: '"views":[1]' }, { bits: 4 * 4 + 1, body: '"views":[2]' });
  element.tell('timeupdate');
  await settle();
  const [whole, bare] = sent.map(({ body }) => JSON.parse(body));
  assert.equal(whole.page.url, 'https://site.example/watch');
  assert.equal(whole.page.utm_source, 'mail');
  assert.equal(typeof whole.client, 'object');
  assert.match(whole.session, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(whole.views, [1]);
  assert.ok(Math.abs(bare.sent_at - Date.now()) < 5_000);
  assert.deepEqual({ ...bare, sent_at: 0 }, { v: 1, site: 'demo', sdk: 'quartile-web/test', sent_at: 0, views: [2] });
  assert.deepEqual(sent.map(({ keepalive }) => keepalive), [false, true]);
  assert.deepEqual(calls('delivered').map((call) => call.slice(0, 4)), [[3, 0, 9, 5], [4, 0, 9, 5]]);
});

const answers = [
  ['a proxy', { status: 200, body: {} }, [2, 0, 0]],
  ['no collector', { status: 204, body: { accepted: 1 } }, [2, 0, 0]],
  ['an overloaded collector', { status: 503, body: null, headers: { 'retry-after': '7' } }, [2, 7000, 0]],
  ['a collector that never will', { status: 413, body: {} }, [1, 0, 0]],
  ['nobody', { status: 0 }, [2, 0, 0]],
];
for (const [who, given, outcome] of answers) {
  test(`${who} acknowledges nothing`, async () => {
    const { element, fake, settle, calls, answer } = await watching();
    Object.assign(answer, given);
    fake.requests.push({ bits: 4, body: '"views":[]' });
    element.tell('timeupdate');
    await settle();
    assert.deepEqual(calls('delivered')[0].slice(0, 4), [1, ...outcome]);
  });
}

test('a last word that may not outlive the page goes as a beacon', async () => {
  const beacons = [];
  const navigator = { sendBeacon: (...beacon) => beacons.push(beacon) > 0 };
  const { element, fake, settle, calls, answer } = await watching({}, navigator);
  answer.status = 0;
  fake.requests.push({ bits: 5, body: '"views":[]' });
  element.tell('timeupdate');
  await settle();
  assert.deepEqual(beacons.map(([url, body]) => [url, JSON.parse(body).views]), [['https://stats.example/v1/collect', []]]);
  assert.deepEqual(calls('delivered'), []);
});

test('tracking twice is tracking once, and a stop is taken back by it', async () => {
  const { quartile, element, view, calls } = await watching();
  view.stop();
  assert.equal(quartile.track(element, { dims: { plan: 'pro' } }), view);
  await sleep(80);
  assert.deepEqual([calls('attach').length, calls('describe').length, calls('detach').length], [1, 1, 0]);
});

test('what was stopped is let go of, and may be tracked anew', async () => {
  const { quartile, element, view, calls } = await watching();
  view.stop();
  await sleep(80);
  assert.deepEqual([element.listeners, calls('detach').length], [0, 1]);
  view.source({ id: 'too late' });
  assert.equal(calls('describe').length, 0);
  assert.notEqual(quartile.track(element), view);
  assert.equal(calls('attach').length, 2);
});

test('the end of all tracking says what is left', async () => {
  const { quartile, element, fake, calls, endings } = await watching();
  fake.calls.length = 0;
  fake.due = 1;
  quartile.destroy();
  quartile.destroy();
  assert.deepEqual(fake.calls.map(([name]) => name), ['observe', 'detach', 'page']);
  assert.deepEqual([element.listeners, endings()], [0, 1]);
  document.dispatchEvent(new Event('visibilitychange'));
  await sleep(20);
  assert.deepEqual([calls('page').length, calls('timeout').length], [1, 0]);
});

test('tracking that ended before the module was there leaves nothing', async () => {
  const { quartile, fake, ready } = await stage();
  const element = new Media();
  quartile.track(element);
  quartile.destroy();
  await ready();
  assert.deepEqual([fake.calls, element.listeners], [[], 0]);
});

test('a module that fails is kept from the page', async () => {
  const { quartile, element, view, fake } = await watching();
  fake.fails = true;
  element.tell('timeupdate');
  document.dispatchEvent(new Event('visibilitychange'));
  view.source({ id: '2' });
  quartile.destroy();
  assert.equal(element.listeners, 0);
});
