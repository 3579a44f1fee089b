/** The page of a player: the recipe that the package's README shows, bundled as a developer would, and a driver. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { recipe } from './recipes.ts';

const FOLDER = fileURLToPath(new URL('../pages', import.meta.url));

/** What a recipe calls the collector, the site and the media. */
const NAMES = { collector: 'https://stats.example.org', site: "'my-site'", media: 'https://media.example.org/' };

export class PlayerPage {
  private constructor(
    private readonly markup: string,
    private readonly code: string,
  ) {}

  /** The page in a folder of `tests/pages`; with MP4 where its recipe has HLS, if that is wanted. */
  static async bundle(player: string, mp4 = false): Promise<PlayerPage> {
    const { markup, code, loader } = await recipe(player);
    const driver = await readFile(`${FOLDER}/${player}/driver.js`, 'utf8');
    const contents = mp4 ? withMp4(`${code}\n${driver}`) : `${code}\n${driver}`;
    const { outputFiles } = await build({
      stdin: { contents, loader, resolveDir: FOLDER },
      bundle: true,
      write: false,
      format: 'esm',
      jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"production"' },
      loader: { '.css': 'empty', '.svg': 'dataurl', '.png': 'dataurl' },
      logLevel: 'error',
    });
    return new PlayerPage(markup, outputFiles[0]?.text ?? '');
  }

  /** The document and its module, for this collector and media from this address, from its folder `first` at first. */
  texts(collector: string, media: string, first: string, module: string): { html: string; js: string } {
    const here = (text: string) =>
      text
        .replaceAll(NAMES.collector, collector)
        .replaceAll(NAMES.site, "'demo'")
        .replaceAll('"my-site"', '"demo"')
        .replaceAll(`${NAMES.media}walk/`, `${media}${first}/`)
        .replaceAll(NAMES.media, media);
    const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page with a player</title>
<script src="/pages/viewer.js"></script></head>
<body>${here(this.markup)}<script type="module" src="${module}"></script></body></html>`;
    return { html, js: here(this.code) };
  }
}

const withMp4 = (code: string) =>
  code.replaceAll(/(\w+)\/master\.m3u8/g, '$1/$1.mp4').replaceAll('application/x-mpegURL', 'video/mp4');
