/** The page of a player: the recipe that the package's README shows, bundled as a developer would, and a driver. */

import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const FOLDER = fileURLToPath(new URL('../pages', import.meta.url));

/** What a recipe calls the collector, the site and the media. */
const NAMES = { collector: 'https://stats.example.org', site: "'my-site'", media: 'https://media.example.org/' };

/** What is in the first source's place. */
export type Source = 'walk' | 'missing' | 'broken';

/** The recipe of a player as it stands in the README: markup, and a module in JavaScript or JSX. */
export interface Recipe {
  markup: string;
  code: string;
  loader: 'js' | 'jsx';
}

export async function recipe(player: string): Promise<Recipe> {
  const loader = existsSync(`${FOLDER}/${player}/recipe.jsx`) ? 'jsx' : 'js';
  const read = (file: string) => readFile(`${FOLDER}/${player}/${file}`, 'utf8');
  return { markup: await read('recipe.html'), code: await read(`recipe.${loader}`), loader };
}

/** All players that have a page. */
export async function players(): Promise<string[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

export class PlayerPage {
  private constructor(
    private readonly markup: string,
    private readonly code: string,
  ) {}

  static async bundle(player: string): Promise<PlayerPage> {
    const { markup, code, loader } = await recipe(player);
    const driver = await readFile(`${FOLDER}/${player}/driver.js`, 'utf8');
    const { outputFiles } = await build({
      stdin: { contents: `${code}\n${driver}`, loader, resolveDir: FOLDER },
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

  /** The document and its module, for this collector and media from under this address, `source` being what is shown first. */
  texts(collector: string, media: string, source: Source, module: string): { html: string; js: string } {
    const here = (text: string) =>
      text
        .replaceAll(NAMES.collector, collector)
        .replaceAll(NAMES.site, "'demo'")
        .replaceAll('"my-site"', '"demo"')
        .replaceAll(`${NAMES.media}walk/`, `${media}${source}/`)
        .replaceAll(NAMES.media, media);
    const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page with a player</title>
<script src="/pages/viewer.js"></script></head>
<body>${here(this.markup)}<script type="module" src="${module}"></script></body></html>`;
    return { html, js: here(this.code) };
  }
}
