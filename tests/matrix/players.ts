/** The players of the matrix, and what is known of each. */

import type { Engine } from '../browsers/tab.ts';

export interface Player {
  /** As its folder in `tests/pages`, where that is not said. */
  name: string;
  folder?: string;
  /** Shows MP4 although its recipe has HLS. */
  mp4?: true;
  /** How the videos are called in reports: by an id of their own or by the path of what is shown. */
  videos: [first: string, second: string];
  /** What its adapter tells: beginnings of names. Nothing where the element itself is all there is. */
  engine?: string;
  protocol?: 'hls' | 'dash';
  /** What the player itself leaves uncaught in a test: what it loads from the web is not there. */
  complaint?: string;
  /** Whether it breaks its engine off and begins anew, of which the engine makes errors that it recovers from. */
  recovers?: boolean;
  /** Whether it goes back to the beginning by itself at the end, which nobody can tell from a viewer who does. */
  rewinds?: true;
  /** Whether it takes away what is broken: what is asked for afterwards is not there rather than broken. */
  clears?: true;
  /** Whether it sometimes never begins, with Quartile on its page or without: such a page is opened once more. */
  hangs?: true;
  /** The engines in which it is run. */
  engines: readonly Engine[];
}

const ALL: readonly Engine[] = ['chromium', 'firefox', 'webkit'];
const CHROMIUM: readonly Engine[] = ['chromium'];

const paths = (file: string, other = file): [string, string] => [`/made/walk/${file}`, `/made/swim/${other}`];
const MP4 = paths('walk.mp4', 'swim.mp4');
const HLS = paths('master.m3u8');
const DASH = paths('stream.mpd');

export const PLAYERS: readonly Player[] = [
  { name: 'video', videos: MP4, engines: ALL },
  { name: 'hls.js', videos: HLS, engine: 'hls.js 1.', protocol: 'hls', engines: ALL },
  { name: 'video.js-8', videos: HLS, engine: 'VHS 3.', protocol: 'hls', engines: ['chromium', 'firefox'] },
  // There its engine does not get beyond the first picture, whether anybody counts or not.
  { name: 'video.js-8 (MP4)', folder: 'video.js-8', mp4: true, videos: MP4, engines: ['webkit'] },
  { name: 'audio', videos: paths('walk.m4a', 'swim.m4a'), engines: CHROMIUM },
  { name: 'react', videos: MP4, engines: CHROMIUM },
  { name: 'dash.js', videos: DASH, engine: 'dash.js 5.', protocol: 'dash', engines: ALL },
  { name: 'shaka-player', videos: DASH, engine: 'Shaka Player 5.', protocol: 'dash', engines: ALL },
  { name: 'video.js-10', videos: HLS, engine: 'hls.js 1.', protocol: 'hls', recovers: true, hangs: true, engines: CHROMIUM },
  { name: 'plyr', videos: MP4, complaint: '0', engines: CHROMIUM },
  { name: 'vidstack', videos: MP4, engines: CHROMIUM },
  { name: 'media-chrome', videos: MP4, engines: CHROMIUM },
  { name: 'hls-video-element', videos: HLS, engine: 'hls.js 1.', protocol: 'hls', engines: CHROMIUM },
  { name: 'react-player', videos: MP4, engines: CHROMIUM },
  { name: 'mediaelement', videos: MP4, rewinds: true, engines: CHROMIUM },
  { name: 'clappr', videos: MP4, clears: true, engines: CHROMIUM },
];

/** What a short run has. */
export const SAMPLE: readonly (readonly [Engine, string])[] = [
  ['chromium', 'hls.js'],
  ['chromium', 'video'],
  ['firefox', 'video'],
  ['webkit', 'video'],
];
