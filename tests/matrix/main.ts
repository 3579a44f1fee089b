/**
 * Runs the matrix of engines, players and scenarios, and prints it. `--full` runs all, otherwise a sample; `--engine`,
 * `--player` and `--scenario` choose by words of the names; `--write <file>` puts the table between its marks in a file, where rows
 * that were not run stay as they are.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { chromium } from '../browsers/chromium.ts';
import { firefox } from '../browsers/firefox.ts';
import type { Browser, Driver, Engine } from '../browsers/tab.ts';
import { webkit } from '../browsers/webkit.ts';
import { playCell } from './cell.ts';
import { PLAYERS, type Player, SAMPLE } from './players.ts';
import { SCENARIOS, type Scenario, suits } from './scenarios.ts';
import { MatrixStage } from './stage.ts';
import { type Result, notes, renewed, table } from './table.ts';

const DRIVERS: Record<Engine, Driver> = { chromium, firefox, webkit };

/** So many browsers at once. */
const LANES = 2;

/** What one browser does, cell after cell. */
interface Group {
  engine: Engine;
  player: Player;
  scenarios: Scenario[];
}

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    engine: { type: 'string' },
    player: { type: 'string' },
    scenario: { type: 'string' },
    write: { type: 'string' },
  },
});

function plan(): Group[] {
  const isWanted = (wish: string | undefined, name: string) => !wish || wish.split(',').some((word) => name === word);
  const isSampled = (engine: Engine, player: string) => SAMPLE.some(([one, other]) => one === engine && other === player);
  const chosen = options.full || options.engine || options.player;
  const scenarios = SCENARIOS.filter(({ name }) => !options.scenario || name.includes(options.scenario));
  const groups = PLAYERS.flatMap((player) =>
    player.engines
      .filter((engine) => (chosen ? isWanted(options.engine, engine) : isSampled(engine, player.name)))
      .filter(() => isWanted(options.player, player.name))
      .map((engine) => ({ engine, player, scenarios: scenarios.filter((scenario) => suits(scenario, player)) })),
  );
  if (!groups.some(({ scenarios }) => scenarios.length > 0)) throw new Error('no cell has these words in its names');
  const order = Object.keys(DRIVERS);
  return groups.sort((one, other) => order.indexOf(one.engine) - order.indexOf(other.engine));
}

async function playGroup(stage: MatrixStage, group: Group, note: (result: Result) => void): Promise<void> {
  const { engine, player, scenarios } = group;
  const notRun = DRIVERS[engine].missing();
  let browser: Browser | undefined;
  for (const scenario of scenarios) {
    let outcome: Result['outcome'] = notRun === undefined ? 'ok' : { notRun };
    if (notRun === undefined) {
      try {
        browser ??= await DRIVERS[engine].start();
        await playCell(stage, browser, player, scenario);
      } catch (problem) {
        outcome = { failed: problem instanceof Error ? problem.message : String(problem) };
      }
    }
    note({ engine, player: player.name, scenario: scenario.name, outcome });
  }
  await browser?.close();
}

function say({ engine, player, scenario, outcome }: Result): void {
  const mark = outcome === 'ok' ? '✔' : 'failed' in outcome ? '✖' : '–';
  const why = outcome === 'ok' ? '' : `\n    ${Object.values(outcome).join('').replaceAll('\n', '\n    ')}`;
  console.log(`${mark} ${engine} · ${player} · ${scenario}${why}`);
}

/** A cell counts as a test; one that could not be run counts as a failure. */
function finish(results: Result[], seconds: number): void {
  const passed = results.filter(({ outcome }) => outcome === 'ok').length;
  const failed = results.length - passed;
  console.log(`ℹ pass ${passed}\nℹ fail ${failed}\nℹ seconds ${Math.round(seconds)}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** Puts the table between its marks in a file of Markdown. */
async function keep(file: string, results: Result[], scenarios: string[]): Promise<void> {
  const text = await readFile(file, 'utf8');
  const marked = /(?<=<!-- matrix -->\n).*?(?=<!-- end -->)/s;
  if (!marked.test(text)) throw new Error(`${file} has no marks for the table`);
  await writeFile(file, text.replace(marked, (older) => `\`\`\`text\n${renewed(older, results, scenarios)}\n\`\`\`\n`));
}

async function main(): Promise<void> {
  const begun = performance.now();
  const stage = await MatrixStage.set();
  const results: Result[] = [];
  const note = (result: Result) => {
    say(result);
    results.push(result);
  };
  const groups = plan();
  const order = groups.map(({ engine, player }) => `${engine} ${player.name}`);
  const lane = async () => {
    for (let group = groups.shift(); group; group = groups.shift()) await playGroup(stage, group, note);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await stage.strike();
  const place = ({ engine, player }: Result) => order.indexOf(`${engine} ${player}`);
  results.sort((one, other) => place(one) - place(other));
  const scenarios = SCENARIOS.map(({ name }) => name);
  console.log(`\n${table(results, scenarios)}\n\n${notes(results)}`);
  if (options.write) await keep(options.write, results, scenarios);
  finish(results, (performance.now() - begun) / 1000);
}

await main();
