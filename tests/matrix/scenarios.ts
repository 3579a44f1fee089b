/** What a viewer does, and what the reports must say of it afterwards. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { Tab } from '../browsers/tab.ts';
import type { Row } from '../harness/report.ts';
import type { Player } from './players.ts';

/** What is in the first video's place. */
export type Source = 'walk' | 'missing' | 'broken' | 'live';

/** What a page's own measurement says. */
export interface Truth {
  playedMs: number;
  /** Bytes of segments, but for what was broken off. */
  receivedBytes: number;
  position: number;
  ended: boolean;
  failed: boolean;
}

/** What was waited for did not come. */
export class InVain extends Error {}

/** What a viewer can do on the page of a player. */
export class Viewer {
  constructor(private readonly tab: Tab) {}

  truth(): Promise<Truth> {
    return this.tab.run('viewer.truth()');
  }

  /** Until a condition, as a script, holds in the page. */
  async until(condition: string, within = 30_000): Promise<void> {
    for (const end = Date.now() + within; !(await this.tab.run(`!!(${condition})`)); await sleep(50)) {
      if (Date.now() <= end) continue;
      const state = await this.tab.run(STATE);
      throw new InVain(`in vain was awaited: ${condition}; ${JSON.stringify(state)}`);
    }
  }

  /** Whether the player's element says that it has failed. */
  hasFailed(): Promise<boolean> {
    return this.tab.run(`!!viewer.media().error`);
  }

  async ready(): Promise<void> {
    await this.until('viewer.media()');
  }

  async play(): Promise<void> {
    await this.tab.run('viewer.play()');
  }

  async pause(): Promise<void> {
    await this.tab.run('viewer.media().pause()');
  }

  async reach(seconds: number): Promise<void> {
    await this.until(`viewer.media().currentTime >= ${seconds}`);
  }

  /** Until so much was truly played, wherever it began. */
  async watch(seconds: number): Promise<void> {
    await this.until(`viewer.truth().playedMs >= ${seconds * 1_000}`);
  }

  async end(): Promise<void> {
    await this.until('viewer.truth().ended');
  }

  async seek(seconds: number): Promise<void> {
    await this.tab.run(`viewer.media().currentTime = ${seconds}`);
  }

  /** Has the page show another video, and waits until it is there. */
  async change(): Promise<void> {
    await this.tab.run('page.change(), undefined');
    await this.until('viewer.media()?.readyState > 0 && viewer.media().currentTime < 1');
  }
}

const STATE = `(({ currentTime, readyState, paused, error, currentSrc } = {}) =>
  ({ currentTime, readyState, paused, error: error?.message, currentSrc }))(viewer.media())`;

export interface Scenario {
  name: string;
  /** What the page shows first, if that is not a video that is well. */
  source?: Exclude<Source, 'walk'>;
  /** Whether that cannot be played. */
  fails?: true;
  /** How many views there are; each is begun, and stopped when the page is left. */
  views: number;
  /** What is not zero of the counts below, beside what every view has. */
  counts: Row;
  /** Whether both videos are watched. */
  both?: boolean;
  act(viewer: Viewer): Promise<void>;
}

/** What every scenario asserts exactly. */
export const COUNTS = [
  ...['views', 'stops', 'impressions', 'play_requests', 'plays', 'pauses', 'resumes', 'seeks', 'ends', 'replays', 'loops'],
  ...['fatal_errors', 'start_failures', 'playback_failures', 'reached_25', 'reached_75', 'reached_100', 'position_100'],
] as const;

const WATCHED = { impressions: 1, play_requests: 1, plays: 1 };

/** Failing takes a while: players try again. */
const FAILURE_MS = 12_000;

/**
 * A source that cannot be played. Whether the player shows that it is there before it fails, and whether it fails before
 * somebody asks it to play, is the player's affair; a failure to start is one that somebody asked for.
 */
const failing = (name: string, source: 'missing' | 'broken'): Scenario => ({
  name,
  source,
  fails: true,
  views: 1,
  counts: { fatal_errors: 1 },
  async act(viewer) {
    await viewer.play();
    await sleep(FAILURE_MS);
  },
});

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'full watch',
    views: 1,
    counts: { ...WATCHED, ends: 1, reached_25: 1, reached_75: 1, reached_100: 1, position_100: 1 },
    async act(viewer) {
      await viewer.play();
      await viewer.end();
    },
  },
  {
    name: 'seek ahead',
    views: 1,
    counts: { ...WATCHED, seeks: 1, ends: 1, reached_25: 1, position_100: 1 },
    async act(viewer) {
      await viewer.play();
      await viewer.reach(1.5);
      await viewer.seek(6);
      await viewer.end();
    },
  },
  {
    name: 'pause, resume',
    views: 1,
    counts: { ...WATCHED, pauses: 1, resumes: 1, reached_25: 1 },
    async act(viewer) {
      await viewer.play();
      await viewer.reach(1.5);
      await viewer.pause();
      await sleep(1_500);
      await viewer.play();
      await viewer.reach(3.5);
    },
  },
  {
    name: 'source change',
    views: 2,
    counts: { impressions: 2, play_requests: 2, plays: 2, reached_25: 2 },
    both: true,
    async act(viewer) {
      await viewer.play();
      await viewer.reach(2.5);
      await viewer.change();
      await viewer.play();
      await viewer.reach(2.5);
    },
  },
  failing('error: 404', 'missing'),
  failing('error: broken', 'broken'),
  {
    name: 'close mid-way',
    views: 1,
    counts: { ...WATCHED, reached_25: 1 },
    async act(viewer) {
      await viewer.play();
      await viewer.reach(3);
    },
  },
  {
    name: 'live',
    source: 'live',
    views: 1,
    // It has no length of which a quarter could be reached.
    counts: WATCHED,
    async act(viewer) {
      await viewer.play();
      await viewer.watch(6);
    },
  },
];

/** Whether a scenario is for a player: not every page of one can show what is live. */
export const suits = ({ source }: Scenario, { protocol }: Player): boolean => source !== 'live' || protocol === 'hls';
