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

type Cells = string[];

/** A table of fixed width. */
export const table = (results: Result[], scenarios: string[]): string => print(rowsOf(results, scenarios));

/** The table with those rows of an older one that were not run now. */
export function renewed(older: string, results: Result[], scenarios: string[]): string {
  const [head = [], ...rows] = rowsOf(results, scenarios);
  const before = older.split('\n').map((line) => line.trim().split(/ {2,}/));
  const isSame = (one: Cells, other: Cells) => one[0] === other[0] && one[1] === other[1];
  const isKept = (row: Cells) => row.length === head.length && !isSame(row, head);
  const kept = before.filter(isKept).map((row) => rows.find((one) => isSame(one, row)) ?? row);
  const added = rows.filter((row) => !kept.some((one) => isSame(one, row)));
  return print([head, ...kept, ...added]);
}

function rowsOf(results: Result[], scenarios: string[]): Cells[] {
  const rows = [['engine', 'player', ...scenarios]];
  for (const { engine, player } of unique(results)) {
    const of = (scenario: string) =>
      results.find((one) => one.engine === engine && one.player === player && one.scenario === scenario);
    rows.push([engine, player, ...scenarios.map((scenario) => (of(scenario) ? word(of(scenario) as Result) : '–'))]);
  }
  return rows;
}

function print(rows: Cells[]): string {
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
