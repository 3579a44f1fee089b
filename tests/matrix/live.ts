/** Live streams: playlists of a video that is longer, which grow by a segment every two seconds. */

import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

import { MEDIA, SEGMENT_SECONDS } from '../harness/media.ts';
import type { Answer } from '../harness/pages.ts';

const FOLDER = resolve(MEDIA, 'river');

/** So much is there when the first viewer comes. */
const FIRST_SEGMENTS = 4;

export class LiveStreams {
  /** When each stream was first asked for, by its folder. */
  private readonly begun = new Map<string, number>();

  /** A file of the stream in whose folder it is asked for. */
  async answer(path: string): Promise<Answer> {
    const file = resolve(FOLDER, basename(path));
    if (!path.endsWith('.m3u8')) return { type: 'video/iso.segment', body: await readFile(file) };
    return { type: 'application/vnd.apple.mpegurl', body: this.grown(dirname(path), await readFile(file, 'utf8')) };
  }

  /** A playlist as far as it goes by now; the one that only names others is as it is. */
  private grown(stream: string, playlist: string): string {
    const now = performance.now();
    const begun = this.begun.get(stream) ?? now;
    this.begun.set(stream, begun);
    const [head = '', ...segments] = playlist.replaceAll(/^#EXT-X-PROGRAM-DATE-TIME.*\n/gm, '').split(/^(?=#EXTINF)/m);
    const shown = FIRST_SEGMENTS + Math.floor((now - begun) / 1000 / SEGMENT_SECONDS);
    return head + segments.slice(0, shown).join('');
  }
}
