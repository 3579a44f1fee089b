/** Media of test patterns in three renditions, made by ffmpeg when a test first wants them. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Beside what Cargo makes: nothing of it is committed. */
export const MEDIA = fileURLToPath(new URL('../.media', import.meta.url));

/** Another number makes all media anew. */
const VERSION = 3;

/** How long a video is. */
export const SECONDS = 8;

/** How long each segment is. */
export const SEGMENT_SECONDS = 2;

interface Rendition {
  width: number;
  height: number;
  kbps: number;
}

export const RENDITIONS: readonly Rendition[] = [
  { width: 320, height: 180, kbps: 100 },
  { width: 480, height: 270, kbps: 250 },
  { width: 640, height: 360, kbps: 500 },
];

/** A folder of media each: `<name>.mp4`, `<name>.m4a`, `master.m3u8` and `stream.mpd`. What becomes live is longer. */
const CLIPS = [
  { name: 'walk', pattern: 'testsrc', seconds: SECONDS },
  { name: 'swim', pattern: 'testsrc2', seconds: SECONDS },
  { name: 'river', pattern: 'testsrc', seconds: 48 },
] as const;

type Clip = (typeof CLIPS)[number];

const run = promisify(execFile);
const ffmpeg = (args: string[]) => run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args]);

/** Puts the media in place; says what is missing when it cannot. */
export async function makeMedia(): Promise<void> {
  const done = resolve(MEDIA, `version-${VERSION}`);
  if (existsSync(done)) return;
  const folder = `${MEDIA}.part`;
  await Promise.all([rm(folder, { recursive: true, force: true }), rm(MEDIA, { recursive: true, force: true })]);
  for (const clip of CLIPS) {
    await mkdir(resolve(folder, clip.name), { recursive: true });
    await makeOne(resolve(folder, clip.name), clip);
  }
  // A box of four gigabytes. A length that may be true would have a browser wait for the rest, and nothing would fail.
  await writeFile(resolve(folder, 'garbage'), Buffer.alloc(20_000, 0xff));
  await writeFile(resolve(folder, `version-${VERSION}`), '');
  await rename(folder, MEDIA);
}

async function makeOne(folder: string, { name, pattern, seconds }: Clip): Promise<void> {
  const { width, height } = RENDITIONS.at(-1) as Rendition;
  const picture = ['-f', 'lavfi', '-i', `${pattern}=size=${width}x${height}:rate=25:duration=${seconds}`];
  const tone = ['-f', 'lavfi', '-i', `sine=frequency=220:sample_rate=48000:duration=${seconds}`];
  const sound = ['-c:a', 'aac', '-b:a', '32k', '-ac', '1', '-af', 'volume=0.05'];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-pix_fmt', 'yuv420p'];
  const cuts = ['-g', '50', '-keyint_min', '50', '-sc_threshold', '0'];
  const small = ['-s', '320x180', '-b:v', '100k'];
  const plain = ['-movflags', '+faststart', resolve(folder, `${name}.mp4`)];
  await ffmpeg([...picture, ...tone, ...codec, ...cuts, ...small, ...sound, '-t', `${seconds}`, ...plain]);
  await ffmpeg([...tone, ...sound, '-t', `${seconds}`, '-movflags', '+faststart', resolve(folder, `${name}.m4a`)]);
  const renditions = RENDITIONS.flatMap((one, index) => [
    ...['-map', '0:v', `-s:v:${index}`, `${one.width}x${one.height}`],
    ...[`-b:v:${index}`, `${one.kbps}k`, `-maxrate:v:${index}`, `${one.kbps}k`, `-bufsize:v:${index}`, `${one.kbps}k`],
  ]);
  const sets = ['-adaptation_sets', 'id=0,streams=v id=1,streams=a'];
  const format = ['-f', 'dash', '-seg_duration', `${SEGMENT_SECONDS}`, ...sets, '-hls_playlist', '1'];
  const out = resolve(folder, 'stream.mpd');
  await ffmpeg([...picture, ...tone, ...renditions, '-map', '1:a', ...codec, ...cuts, ...sound, ...format, out]);
}
