/** One cell of the matrix: a player in a browser, a scenario, and what the reports say of it. */

import assert from 'node:assert/strict';

import type { Browser } from '../browsers/tab.ts';
import { eventually } from '../harness/eventually.ts';
import { assertBetween, assertMetrics, assertPlayed } from '../harness/expect.ts';
import type { Row } from '../harness/report.ts';
import type { Player } from './players.ts';
import { COUNTS, type Scenario, type Truth, Viewer } from './scenarios.ts';
import type { MatrixStage } from './stage.ts';

/** What each view may be off by. */
const SLACK_MS = 500;

/** Plays a cell; throws what is wrong with it. */
export async function playCell(stage: MatrixStage, browser: Browser, player: Player, scenario: Scenario): Promise<void> {
  const url = await stage.page(player.name, scenario.source ?? 'walk');
  const { truth, complaints } = await watch(browser, url, scenario);
  await judge(stage, url, player, scenario, truth);
  const own = complaints.filter((complaint) => complaint !== player.complaint);
  if (!scenario.source) assert.deepEqual(own, [], 'nothing that nobody caught');
}

async function watch(browser: Browser, url: string, scenario: Scenario) {
  const tab = await browser.open(url);
  const viewer = new Viewer(tab);
  try {
    await viewer.ready();
    await scenario.act(viewer);
    return { truth: await viewer.truth(), complaints: tab.complaints };
  } finally {
    await tab.leave();
  }
}

async function judge(stage: MatrixStage, url: string, player: Player, scenario: Scenario, truth: Truth): Promise<void> {
  const here: ['is', string, string[]][] = [['is', 'page', [new URL(url).pathname]]];
  const expected: Row = Object.fromEntries(COUNTS.map((name) => [name, scenario.counts[name] ?? 0]));
  expected['views'] = expected['stops'] = scenario.views;
  if (scenario.source) for (const name of ['impressions', 'play_requests', 'start_failures']) delete expected[name];
  await eventually(async () => {
    const row = await stage.collector.totals([...COUNTS, 'errors', 'minutes_viewed', 'bytes'], here);
    assertMetrics(row, expected);
    assertPlayed(row, truth.playedMs, SLACK_MS * scenario.views);
    if (scenario.source) assert.equal(row['start_failures'], row['play_requests'], 'what was asked for failed to start');
    else if (!player.recovers) assert.equal(row['errors'], 0, 'errors');
  });
  if (!scenario.source) await judgeVideos(stage, here, player, scenario);
  if (player.engine && !scenario.source) await judgeFacts(stage, url, here, player);
}

async function judgeVideos(stage: MatrixStage, here: ['is', string, string[]][], player: Player, scenario: Scenario) {
  const rows = await stage.collector.report({ metrics: ['plays'], dimensions: ['video'], filters: here });
  const videos = scenario.both ? player.videos : player.videos.slice(0, 1);
  const byName = (one: Row, other: Row) => String(one['video']).localeCompare(String(other['video']));
  assert.deepEqual(rows.sort(byName), videos.map((video) => ({ video, plays: 1 })).sort(byName));
}

/** What only an adapter knows. */
async function judgeFacts(stage: MatrixStage, url: string, here: ['is', string, string[]][], player: Player) {
  const dimensions = ['engine', 'protocol', 'cdn', 'kind'];
  const rows = await stage.collector.report({ metrics: ['plays'], dimensions, filters: here });
  const { engine, ...rest } = rows[0] ?? {};
  assert.equal(rows.length, 1, JSON.stringify(rows));
  assert.ok(String(engine).startsWith(player.engine ?? ''), `the engine is ${engine}`);
  const host = new URL(url).host;
  assert.deepEqual({ ...rest, plays: 0 }, { protocol: player.protocol, cdn: host, kind: 'vod', plays: 0 });
  const row = await stage.collector.totals(['bytes', 'avg_bitrate_kbps', 'played_ms', 'rated_ms'], here);
  const sent = stage.pages.segmentBytes(url);
  assertBetween('bytes', Number(row['bytes']), sent * 0.98, sent);
  assertBetween('kbit/s', Number(row['avg_bitrate_kbps']), 90, 700);
  assertBetween('time of a known bitrate', Number(row['rated_ms']), Number(row['played_ms']) - 500, Number(row['played_ms']));
}
