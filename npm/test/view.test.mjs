// What a site may say of a view and ask of it, and what is around the picture.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Media, stage } from './fake.mjs';

const [CAST, CAPTIONS, AUDIO_TRACK, INTERACTION] = [13, 14, 15, 23];

class Tracks extends EventTarget {
  constructor(tracks) {
    super();
    Object.assign(this, tracks, { length: tracks.length });
  }
}

async function watching(more = {}) {
  const page = await stage();
  const element = Object.assign(new Media(), more);
  const view = page.quartile.track(element, { dims: { plan: 'pro' } });
  await page.ready();
  page.fake.calls.length = 0;
  const told = (signal) =>
    page.fake.calls.filter(([name, , given]) => name === 'observe' && given === signal).map((call) => [call[8], ...call.at(-1)]);
  return { ...page, element, view, told };
}

test('dimensions are added to those that are set', async () => {
  const { view, fake } = await watching();
  view.set({ room: '7' });
  const texts = fake.calls.find(([name]) => name === 'describe').at(-1);
  assert.deepEqual(texts.slice(-4), ['dplan', 'pro', 'droom', '7']);
});

test('what a viewer does beside playing is told in its words', async () => {
  const { view, told } = await watching();
  view.interact('menu', 'share', 'mail');
  view.interact('menu', 'info');
  assert.deepEqual(told(INTERACTION), [[0, 'menu', 'share', 'mail'], [0, 'menu', 'info', '']]);
});

test('a view tells what is known of it', async () => {
  const { view, fake } = await watching();
  fake.shows = '{"state":"playing","played_ms":5}';
  assert.deepEqual(view.snapshot(), { state: 'playing', played_ms: 5 });
});

test('a user who signs in is told', async () => {
  const { quartile, fake } = await watching();
  quartile.user('ada');
  assert.deepEqual(fake.calls.at(-1), ['user', fake.calls.at(-1)[1], ['ada']]);
});

test('captions are told when they change, not when they are there', async () => {
  const track = (kind, language, mode) => ({ kind, language, mode });
  const textTracks = new Tracks([track('chapters', 'en', 'showing'), track('subtitles', 'fr', 'disabled')]);
  const { told } = await watching({ textTracks });
  textTracks.dispatchEvent(new Event('change'));
  assert.deepEqual(told(CAPTIONS), []);
  textTracks[1].mode = 'showing';
  textTracks.dispatchEvent(new Event('change'));
  textTracks[1].mode = 'hidden';
  textTracks.dispatchEvent(new Event('change'));
  assert.deepEqual(told(CAPTIONS), [[1, 'fr'], [0, '']]);
});

test('another audio track is told', async () => {
  const audioTracks = new Tracks([{ language: 'en', enabled: true }, { language: 'de', enabled: false }]);
  const { told } = await watching({ audioTracks });
  [audioTracks[0].enabled, audioTracks[1].enabled] = [false, true];
  audioTracks.dispatchEvent(new Event('change'));
  assert.deepEqual(told(AUDIO_TRACK), [[1, 'de']]);
});

test('another screen is told', async () => {
  const remote = new EventTarget();
  const { told } = await watching({ remote });
  remote.dispatchEvent(new Event('connect'));
  remote.dispatchEvent(new Event('disconnect'));
  assert.deepEqual(told(CAST), [[1, ''], [0, '']]);
});
