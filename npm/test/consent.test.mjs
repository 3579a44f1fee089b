// What leaves the page and what the browser keeps, as the visitor and the site want it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Media, stage } from './fake.mjs';

const [HIDDEN, ONLINE] = [0, 6];
const [RENDITION, LIVE] = [16, 20];
const CONTEXT = 2;
const URGENT = 1;

const UNSENT = 'quartile.unsent https://stats.example/v1/collect';

/** A page with one element; `asks` makes the module ask for a request. */
async function watching(settings, navigator, kept) {
  const page = await stage(settings, navigator, kept);
  const element = new Media();
  const view = page.quartile.track(element);
  if (settings.consent !== 'denied') await page.ready();
  const asks = async (bits = CONTEXT, body = '"views":[]') => {
    page.fake.requests.push({ bits, body });
    element.tell('timeupdate');
    await page.settle();
  };
  return { ...page, element, view, asks, bodies: () => page.sent.map(({ body }) => JSON.parse(body)) };
}

test('who did not agree is not even listened to, until they do', async () => {
  const page = await watching({ consent: 'denied' });
  assert.equal(page.element.listeners, 0);
  page.quartile.consent('granted');
  await page.ready();
  assert.ok(page.element.listeners > 0);
  assert.equal(page.calls('attach').length, 1);
});

test('what was counted while the visitor thinks is sent when they agree, and tried again until then', async () => {
  const page = await watching({ consent: 'pending' });
  await page.asks();
  assert.equal(page.sent.length, 0);
  assert.deepEqual(page.calls('delivered')[0].slice(0, 4), [0, 2, 3_600_000, 0]);
  page.quartile.consent('granted');
  assert.equal(page.calls('page').at(-1)[0], ONLINE);
  await page.asks();
  assert.equal(page.sent.length, 1);
});

test('who takes it back is forgotten', async () => {
  const kept = new Map();
  const page = await watching({ identity: 'stored' }, {}, kept);
  await page.asks();
  assert.ok(kept.has('quartile.viewer'));
  page.fake.requests.push({ bits: URGENT, body: '"views":[1]' });
  page.quartile.consent('denied');
  await page.settle();
  assert.equal(page.sent.length, 1, 'nothing more is sent');
  assert.equal(page.element.listeners, 0);
  assert.equal(kept.size, 0);
  assert.deepEqual(page.view.snapshot(), {});
  page.quartile.consent('granted');
  await page.ready();
  assert.equal(page.calls('attach').length, 2, 'it begins anew');
});

test('who opted out is not counted, whatever they agree to', async () => {
  const page = await watching({ consent: 'pending' });
  page.quartile.optOut();
  page.quartile.consent('granted');
  assert.equal(page.element.listeners, 0);
  page.quartile.optOut(false);
  assert.ok(page.element.listeners > 0, 'what they agreed to holds again');
});

test('what the visitor said last holds, and what is not known is no agreement', async () => {
  const page = await watching({});
  page.quartile.consent('denied');
  page.quartile.optOut(false);
  assert.equal(page.element.listeners, 0);
  page.quartile.consent('granted');
  assert.ok(page.element.listeners > 0);
  page.quartile.consent('no');
  assert.equal(page.element.listeners, 0);
});

test('a denial forgets what an earlier page kept, also where nothing had begun', async () => {
  const kept = new Map([['quartile.viewer', 'v1'], [UNSENT, '["{}"]']]);
  const page = await watching({ identity: 'stored', consent: 'denied' }, {}, kept);
  page.quartile.consent('denied');
  assert.equal(kept.size, 0);
});

test('an answer that comes after a denial keeps nothing', async () => {
  const kept = new Map([[UNSENT, '["{}"]']]);
  const page = await watching({ identity: 'stored' }, {}, kept);
  page.answer.status = 0;
  page.quartile.consent('denied');
  await page.settle();
  assert.equal(kept.size, 0);
});

test('what an engine told of before the visitor agreed is told then', async () => {
  const page = await watching({ consent: 'denied' });
  page.view.tell({ source: 'https://cdn.example/a.m3u8', live: true, bytes: 9 });
  page.view.tell({ rendition: { width: 640, height: 360, kbps: 800 } });
  page.quartile.consent('granted');
  await page.ready();
  const told = page.calls('observe').map(([, signal]) => signal);
  assert.deepEqual(told.filter((signal) => signal >= RENDITION), [LIVE, RENDITION]);
});

test('nothing is stored unless the site wants it', async () => {
  const kept = new Map();
  const page = await watching({}, {}, kept);
  await page.asks(CONTEXT | URGENT);
  assert.equal(kept.size, 0);
  const [{ session, viewer }] = page.bodies();
  assert.match(session, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/);
  assert.equal(viewer, undefined);
});

test('a stored viewer comes back, in the same visit for half an hour', async () => {
  const kept = new Map();
  const who = async () => {
    const page = await watching({ identity: 'stored' }, {}, kept);
    await page.asks();
    return page.bodies()[0];
  };
  const [first, second] = [await who(), await who()];
  assert.deepEqual([second.viewer, second.session], [first.viewer, first.session]);
  kept.set('quartile.visit', `${first.session} ${Date.now() - 31 * 60_000}`);
  const third = await who();
  assert.equal(third.viewer, first.viewer);
  assert.notEqual(third.session, first.session);
});

test('who asks for privacy is not recognised, whatever the site wants', async () => {
  const kept = new Map();
  const page = await watching({ identity: 'stored', viewer: 'v1', user: 'ada' }, { globalPrivacyControl: true }, kept);
  await page.asks(CONTEXT | URGENT);
  const [{ session, viewer, client }] = page.bodies();
  assert.deepEqual([session, viewer, kept.size, client.gpc], [undefined, undefined, 0, true]);
  page.quartile.user('bob');
  assert.deepEqual(page.fake.calls.at(-1).at(-1), ['']);
});

test('what a page cannot send any more, the next page sends', async () => {
  const kept = new Map();
  const page = await watching({ identity: 'stored' }, {}, kept);
  page.answer.status = 0;
  await page.asks(URGENT, '"views":[1]');
  await page.asks(0, '"views":[2]');
  assert.equal(JSON.parse(kept.get(UNSENT)).length, 1, 'only what is urgent is kept');

  const away = await watching({ identity: 'stored' }, {}, kept);
  assert.deepEqual(away.bodies().map(({ views }) => views), [[1]]);
  assert.equal(kept.has(UNSENT), false, 'it was answered');
});

test('what is answered is not kept', async () => {
  const kept = new Map();
  const page = await watching({ identity: 'session' }, {}, kept);
  await page.asks(URGENT);
  assert.equal(kept.has(UNSENT), false);
});

test('a site may change what is sent', async () => {
  const page = await watching({ beforeSend: (batch) => ({ ...batch, page: { url: 'https://site.example/' } }) });
  await page.asks();
  assert.deepEqual(page.bodies()[0].page, { url: 'https://site.example/' });
});

for (const [why, beforeSend] of [
  ['gives nothing', () => undefined],
  ['gives null', () => null],
  ['fails', () => { throw new Error('of the site'); }],
]) {
  test(`what a site drops is neither sent nor said again: it ${why}`, async () => {
    const page = await watching({ beforeSend });
    await page.asks();
    assert.equal(page.sent.length, 0);
    assert.deepEqual(page.calls('delivered')[0].slice(0, 4), [0, 0, 0, 0]);
  });
}

test('who opts out is not counted again, here or on the next page', async () => {
  const kept = new Map();
  const page = await watching({}, {}, kept);
  page.quartile.optOut();
  assert.equal(page.element.listeners, 0);
  const next = await stage({}, {}, kept);
  const element = new Media();
  next.quartile.track(element);
  assert.equal(element.listeners, 0);
  next.quartile.optOut(false);
  assert.ok(element.listeners > 0);
  assert.equal(kept.size, 0);
});

test('a browser that refuses to store is no trouble', async () => {
  const refuses = { get: () => { throw new Error('no'); }, set: () => { throw new Error('no'); }, delete: () => {} };
  const page = await watching({ identity: 'stored' }, {}, refuses);
  await page.asks(CONTEXT | URGENT);
  assert.ok(page.bodies()[0].viewer);
});

test('a hidden page says all it has', async () => {
  const page = await watching({});
  globalThis.document.hidden = true;
  globalThis.document.dispatchEvent(new Event('visibilitychange'));
  assert.equal(page.calls('page').at(-1)[0], HIDDEN);
});

test('an element is seen when half of it was in view for two seconds of a visible page', async () => {
  const page = await watching({});
  const viewable = () => page.calls('observe').filter(([, signal]) => signal === 9).length;
  const [{ element, show }] = page.views;
  assert.equal(element, page.element);
  show(0.5);
  await sleep(1000);
  show(0.4);
  await sleep(1500);
  assert.equal(viewable(), 0, 'it left in between');
  show(0.9);
  await sleep(2100);
  assert.equal(viewable(), 1);
  page.element.tell('loadstart');
  await sleep(2100);
  assert.equal(viewable(), 2, 'what it shows now is seen, too');
  page.view.stop();
  await sleep(100);
  assert.equal(page.views.length, 0);
});
