/** Comparisons of reports with what a page measured. */

import assert from 'node:assert/strict';

import type { Row } from './report.ts';

/** What a report may be off by: a frame here, a `timeupdate` there. */
const SLACK_MS = 500;

/** The metrics of a report that are named in `expected`, exactly. */
export function assertMetrics(row: Row, expected: Row): void {
  const named = Object.fromEntries(Object.keys(expected).map((name) => [name, row[name]]));
  assert.deepEqual(named, expected);
}

/** Minutes viewed, which may differ from the truth by `slack` milliseconds. */
export function assertPlayed(row: Row, truthMs: number, slack = SLACK_MS): void {
  assertBetween('milliseconds played', Number(row['minutes_viewed']) * 60_000, truthMs - slack, truthMs + slack);
}

export function assertBetween(what: string, actual: number, least: number, most: number): void {
  const within = actual >= least && actual <= most;
  assert.ok(within, `${what}: ${actual} is not between ${least} and ${most}`);
}
