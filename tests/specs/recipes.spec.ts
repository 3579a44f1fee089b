/** Every recipe of the package's README is a page that tracks a video, as it stands there. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { chromium } from '../browsers/chromium.ts';
import type { Browser } from '../browsers/tab.ts';
import { eventually } from '../harness/eventually.ts';
import { block, recipes, section } from '../harness/recipes.ts';
import { playCell } from '../matrix/cell.ts';
import { PLAYERS } from '../matrix/players.ts';
import { SCENARIOS } from '../matrix/scenarios.ts';
import { MatrixStage } from '../matrix/stage.ts';

const RECIPES = await recipes();
const TRIED = PLAYERS.filter(({ engines }) => engines.includes('chromium'));

/** What the first report says, but for the minutes. */
const FIRST_ROW = { plays: 1, minutes_viewed: 0, reached_25: 1, video: '1234', video_title: 'A walk in the park' };

let stage: MatrixStage;
let browser: Browser;
before(async () => {
  [stage, browser] = await Promise.all([MatrixStage.set(), chromium.start()]);
});
after(async () => {
  await browser.close();
  await stage.strike();
});

test('each player has a recipe, and each recipe is tried', () => {
  assert.deepEqual([...RECIPES.keys()].sort(), TRIED.map(({ name }) => name).sort());
});

test('each recipe names the packages that it needs', async () => {
  const file = new URL('../package.json', import.meta.url);
  const { devDependencies } = JSON.parse(await readFile(file, 'utf8')) as { devDependencies: object };
  for (const [name, { code, loader, packages }] of RECIPES) {
    const imported = [...code.matchAll(/^import .*?'((?:@[^/']+\/)?[^/']+)/gm)].map((match) => match[1] ?? '');
    // What is written in JSX needs React, whether it names it or not.
    if (loader === 'jsx') imported.push('react');
    assert.deepEqual(packages.toSorted(), [...new Set(imported)].sort(), name);
    for (const one of packages) assert.ok(one === 'quartile' || one in devDependencies, `${one} is not installed here`);
  }
});

for (const player of TRIED) {
  test(`the recipe for ${player.name} tracks its video`, { timeout: 180_000 }, async () => {
    const scenario = SCENARIOS.find(({ name }) => name === 'close mid-way');
    assert.ok(scenario);
    await playCell(stage, browser, player, scenario);
  });
}

test('a page and a question as in the first five minutes tell what was watched', { timeout: 60_000 }, async () => {
  const text = await section('A video in five minutes');
  const here = (code: string) => code.replaceAll('http://127.0.0.1:8787', stage.collector.origin);
  const video = stage.pages.address('made/walk/walk.mp4');
  const html = here(block(text, 'html')).replace('walk.mp4', video);
  const tab = await browser.open(stage.pages.add('first', html));
  await tab.run('document.querySelector("video").play()');
  await eventually(async () => assert.ok(await tab.run<boolean>('document.querySelector("video").currentTime > 3')));
  await tab.leave();
  const [, question = ''] = /curl -s \S+\/v1\/reports\/query -d '(.*?)'/s.exec(text) ?? [];
  await eventually(async () => {
    const rows = await stage.collector.report(JSON.parse(question));
    const [row] = rows.filter((one) => one['video'] === '1234');
    assert.deepEqual({ ...row, minutes_viewed: 0 }, FIRST_ROW);
    assert.ok(Number(row?.['minutes_viewed']) > 2 / 60, JSON.stringify(row));
  });
});
