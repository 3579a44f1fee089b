// What a developer sees who makes a mistake, and what a server sees. On the package as it ships.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { init } from '../dist/index.js';

const good = { collector: 'https://stats.example.org', site: 'demo' };

const mistakes = [
  [undefined, /"collector" must be an address/],
  [{}, /"collector"/],
  [{ ...good, collector: 'stats.example.org' }, /"collector"/],
  [{ ...good, collector: 'https://' }, /"collector"/],
  [{ ...good, collector: 7 }, /"collector"/],
  [{ collector: '/stats' }, /"site" must be 1 to 64 letters/],
  [{ ...good, site: 'two words' }, /"site"/],
  [{ ...good, site: 'x'.repeat(65) }, /"site"/],
  [{ ...good, user: 42 }, /"user" must be a string/],
  [{ ...good, viewer: {} }, /"viewer" must be a string/],
];

for (const [options, message] of mistakes) {
  test(`${JSON.stringify(options)} is refused with a cure`, () => {
    assert.throws(() => init(options), { name: 'TypeError', message });
  });
}

test('on a server nothing happens', () => {
  assert.equal(typeof window, 'undefined');
  const quartile = init(good);
  const view = quartile.track(null);
  view.source({ id: '1' });
  view.stop();
  quartile.destroy();
});

test('optional options may be left out in any way', () => {
  init({ ...good, user: undefined, viewer: null, debug: false });
  init({ ...good, collector: '/stats/' });
});
