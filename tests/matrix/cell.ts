/** One cell of the matrix: a player in a browser, a scenario, and what the reports say of it. */

import assert from 'node:assert/strict';

import type { Browser } from '../browsers/tab.ts';
import { eventually } from '../harness/eventually.ts';
import { assertBetween, assertMetrics, assertPlayed } from '../harness/expect.ts';
import type { Row } from '../harness/report.ts';
import type { Player } from './players.ts';
import { COUNTS, InVain, type Scenario, type Truth, Viewer } from './scenarios.ts';
import type { MatrixStage } from './stage.ts';

/** What each view may be off by. */
const SLACK_MS = 500;

/** How often a page is opened at most of a player that sometimes never begins. */
const OPENINGS = 5;

/** Plays a cell; throws what is wrong with it. */
export async function playCell(stage: MatrixStage, browser: Browser, player: Player, scenario: Scenario): Promise<void> {
  for (let openings = player.hangs ? OPENINGS : 1; openings > 0; openings -= 1) {
    try {
      return await playOnce(stage, browser, player, scenario);
    } catch (problem) {
      if (openings === 1 || !(problem instanceof InVain)) throw problem;
      console.log(`  ${player.name} · ${scenario.name} never began: its page is opened again`);
    }
  }
}

async function playOnce(stage: MatrixStage, browser: Browser, player: Player, scenario: Scenario): Promise<void> {
  const url = await stage.page(player, scenario.source);
  const { truth, complaints } = await watch(browser, url, player, scenario);
  await judge(stage, url, player, scenario, truth);
  const own = complaints.filter((complaint) => complaint !== player.complaint);
  if (!scenario.fails) assert.deepEqual(own, [], 'nothing that nobody caught');
}

async function watch(browser: Browser, url: string, player: Player, scenario: Scenario) {
  const tab = await browser.open(url);
  const viewer = new Viewer(tab);
  try {
    await viewer.ready();
    await scenario.act(viewer);
    if (player.hangs && scenario.source === 'broken' && !(await viewer.hasFailed())) throw new InVain('neither plays nor fails');
    return { truth: await viewer.truth(), complaints: tab.complaints };
  } finally {
    await tab.leave();
  }
}

async function judge(stage: MatrixStage, url: string, player: Player, scenario: Scenario, truth: Truth): Promise<void> {
  const here: Here = [['is', 'page', [new URL(url).pathname]]];
  const expected: Row = Object.fromEntries(COUNTS.map((name) => [name, scenario.counts[name] ?? 0]));
  expected['views'] = expected['stops'] = scenario.views;
  if (player.rewinds && scenario.counts['ends']) expected['seeks'] = Number(expected['seeks']) + 1;
  if (scenario.fails) for (const name of ['impressions', 'play_requests', 'start_failures']) delete expected[name];
  await eventually(async () => {
    const row = await stage.collector.totals([...COUNTS, 'errors', 'minutes_viewed', 'bytes'], here);
    assertMetrics(row, expected);
    assertPlayed(row, truth.playedMs, SLACK_MS * scenario.views);
    if (scenario.fails && !player.clears) assert.equal(row['start_failures'], row['play_requests'], 'start failures');
    // Of a playlist that grows, hls.js appends a segment a second time now and then, and says so: bufferAppendNoProgress.
    const isClean = !scenario.fails && !player.recovers && scenario.source !== 'live';
    if (isClean) assert.equal(row['errors'], 0, 'errors');
  });
  if (!scenario.fails) await judgeVideos(stage, url, here, player, scenario);
  if (player.engine && !scenario.fails) await judgeFacts(stage, url, here, player, scenario, truth);
}

/** A report about one page. */
type Here = ['is', string, string[]][];

async function judgeVideos(stage: MatrixStage, url: string, here: Here, player: Player, scenario: Scenario) {
  const rows = await stage.collector.report({ metrics: ['plays'], dimensions: ['video'], filters: here });
  const [first, second] = player.videos;
  const live = `/made/live${new URL(url).pathname}/master.m3u8`;
  const videos = scenario.both ? [first, second] : [scenario.source === 'live' ? live : first];
  const byName = (one: Row, other: Row) => String(one['video']).localeCompare(String(other['video']));
  assert.deepEqual(rows.sort(byName), videos.map((video) => ({ video, plays: 1 })).sort(byName));
}

/** What only an adapter knows. */
async function judgeFacts(
  stage: MatrixStage,
  url: string,
  here: Here,
  player: Player,
  scenario: Scenario,
  truth: Truth,
) {
  const dimensions = ['engine', 'protocol', 'cdn', 'kind'];
  const rows = await stage.collector.report({ metrics: ['plays'], dimensions, filters: here });
  const { engine, ...rest } = rows[0] ?? {};
  assert.equal(rows.length, 1, JSON.stringify(rows));
  assert.ok(String(engine).startsWith(player.engine ?? ''), `the engine is ${engine}`);
  const kind = scenario.source === 'live' ? 'live' : 'vod';
  assert.deepEqual({ ...rest, plays: 0 }, { protocol: player.protocol, cdn: new URL(url).host, kind, plays: 0 });
  const metrics = ['bytes', 'avg_bitrate_kbps', 'played_ms', 'rated_ms', 'avg_live_latency_ms'];
  const row = await stage.collector.totals(metrics, here);
  // What an engine throws away because it begins anew, it does not tell of.
  const least = truth.receivedBytes * (player.recovers ? 0.85 : 0.98);
  assertBetween('bytes', Number(row['bytes']), least, stage.pages.segmentBytes(url));
  assertBetween('kbit/s', Number(row['avg_bitrate_kbps']), 90, 700);
  assertBetween('time of a known bitrate', Number(row['rated_ms']), Number(row['played_ms']) - 500, Number(row['played_ms']));
  if (kind === 'live') assertBetween('behind the live edge', Number(row['avg_live_latency_ms']), 2_000, 15_000);
  else assert.equal(row['avg_live_latency_ms'], null, 'what is not live is behind nothing');
}
