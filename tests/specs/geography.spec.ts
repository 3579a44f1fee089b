/** Viewers come through a delivery network that says where they are: the report has their countries. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FIXTURE_ITEMS, freshBatch, post } from '../harness/batch.ts';
import { Collector } from '../harness/collector.ts';
import { settles } from '../harness/eventually.ts';

/** What Cloudflare adds to a request; the addresses are those of documentation. */
const FROM_FRANCE = { 'cf-connecting-ip': '192.0.2.7', 'cf-ipcountry': 'FR', 'cf-ipcity': 'Lyon' };
const FROM_JAPAN = { 'cf-connecting-ip': '198.51.100.9', 'cf-ipcountry': 'JP', 'cf-ipcity': 'Osaka' };
const FROM_NOWHERE = {};

test('the countries and cities that Cloudflare tells are in the report', { timeout: 30_000 }, async (t) => {
  const collector = await Collector.start();
  t.after(() => collector.remove());
  for (const headers of [FROM_FRANCE, FROM_FRANCE, FROM_JAPAN, FROM_NOWHERE]) {
    assert.equal(await post(collector.origin, await freshBatch(), headers), FIXTURE_ITEMS);
  }
  await settles(async () => {
    const rows = await collector.report({ metrics: ['plays', 'minutes_viewed'], dimensions: ['country', 'city'] });
    const sorted = rows.toSorted((a, b) => String(a['country']).localeCompare(String(b['country'])));
    assert.deepEqual(sorted, [
      { country: '(unknown)', city: '(unknown)', plays: 1, minutes_viewed: 0.75 },
      { country: 'FR', city: 'Lyon', plays: 2, minutes_viewed: 1.5 },
      { country: 'JP', city: 'Osaka', plays: 1, minutes_viewed: 0.75 },
    ]);
  });
});
