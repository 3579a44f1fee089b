/** The matrix as text: engine × player × scenario. */

import type { Engine } from '../browsers/tab.ts';

export interface Result {
  engine: Engine;
  player: string;
  scenario: string;
  /** `ok`, or what is wrong, or why it was not run. */
  outcome: 'ok' | { failed: string } | { notRun: string };
}

const word = ({ outcome }: Result) => (outcome === 'ok' ? 'ok' : 'failed' in outcome ? 'FAILED' : 'not run');

/** A table of fixed width. */
export function table(results: Result[], scenarios: string[]): string {
  const rows = [['engine', 'player', ...scenarios]];
  for (const { engine, player } of unique(results)) {
    const of = (scenario: string) =>
      results.find((one) => one.engine === engine && one.player === player && one.scenario === scenario);
    rows.push([engine, player, ...scenarios.map((scenario) => (of(scenario) ? word(of(scenario) as Result) : '–'))]);
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** What is wrong, and why something was not run, each once. */
export function notes(results: Result[]): string {
  const lines = results.flatMap((result) => {
    const { engine, player, scenario, outcome } = result;
    if (outcome === 'ok') return [];
    if ('notRun' in outcome) return [`not run: ${engine}: ${outcome.notRun}`];
    return [`${engine} · ${player} · ${scenario}: ${outcome.failed}`];
  });
  return [...new Set(lines)].join('\n');
}

function unique(results: Result[]): { engine: Engine; player: string }[] {
  const keys = new Map(results.map(({ engine, player }) => [`${engine} ${player}`, { engine, player }]));
  return [...keys.values()];
}
