/** What all cells of the matrix share: one collector, one server of pages and media. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { Collector } from '../harness/collector.ts';
import { MEDIA, makeMedia } from '../harness/media.ts';
import { type Answer, Pages } from '../harness/pages.ts';
import { PlayerPage } from '../harness/player-page.ts';
import { LiveStreams } from './live.ts';
import type { Player } from './players.ts';
import type { Source } from './scenarios.ts';

/** Garbage where media would be, behind manifests that are well. */
async function broken(path: string): Promise<Answer> {
  if (!/\.(m3u8|mpd)$/.test(path)) return { type: 'video/mp4', body: await readFile(resolve(MEDIA, 'garbage')) };
  const body = await readFile(resolve(MEDIA, 'walk', path.slice(path.lastIndexOf('/') + 1)), 'utf8');
  return { type: path.endsWith('mpd') ? 'application/dash+xml' : 'application/vnd.apple.mpegurl', body };
}

export class MatrixStage {
  private readonly bundles = new Map<string, Promise<PlayerPage>>();
  private readonly modules = new Map<string, string>();
  private cells = 0;

  private constructor(
    readonly collector: Collector,
    readonly pages: Pages,
  ) {}

  static async set(): Promise<MatrixStage> {
    await makeMedia();
    const stage = new MatrixStage(await Collector.start(), await Pages.start());
    const live = new LiveStreams();
    stage.pages.route('/made/broken/', broken);
    stage.pages.route('/made/live/', (path) => live.answer(path));
    stage.pages.route('/module/', (path) => {
      const body = stage.modules.get(path);
      return body === undefined ? undefined : { type: 'text/javascript', body };
    });
    return stage;
  }

  /** The address of a page of its own for a player. */
  async page({ name, folder = name, mp4 }: Player, source: Source = 'walk'): Promise<string> {
    let bundle = this.bundles.get(name);
    if (!bundle) this.bundles.set(name, (bundle = PlayerPage.bundle(folder, mp4)));
    const cell = `cell-${(this.cells += 1)}`;
    const module = `/module/${cell}.js`;
    // Each has a live stream of its own.
    const first = source === 'live' ? `live/${cell}` : source;
    const { html, js } = (await bundle).texts(this.collector.origin, this.pages.address('made/'), first, module);
    this.modules.set(module, js);
    return this.pages.add(cell, html);
  }

  async strike(): Promise<void> {
    await Promise.all([this.pages.stop(), this.collector.remove()]);
  }
}
