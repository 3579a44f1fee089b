/** A project of somebody else's that uses the npm package as it is published: the packed tarball, bundled by what they use. */

import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import * as vite from 'vite';
import webpack from 'webpack';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = resolve(ROOT, 'tests/bundlers');

const run = promisify(execFile);

/** Where a project is, the file that it begins with, and where the bundles go: `main.js` and what that needs. */
interface Job {
  folder: string;
  entry: string;
  out: string;
}

/** The bundlers, as their documentation tells beginners to use them. */
export const BUNDLERS: Record<string, (job: Job) => Promise<unknown>> = {
  vite: ({ folder, entry, out }) =>
    vite.build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      base: './',
      build: { outDir: out, rollupOptions: { input: entry, output: { entryFileNames: 'main.js' } } },
    }),
  webpack: ({ folder, entry, out }) =>
    new Promise<void>((done, fail) => {
      const output = { path: out, filename: 'main.js', publicPath: 'auto' };
      webpack({ mode: 'production', context: folder, entry, output }, (error, stats) => {
        if (error ?? stats?.hasErrors() ?? true) fail(error ?? new Error(stats?.toString()));
        else done();
      });
    }),
  rollup: async ({ entry, out }) => {
    const bundle = await rollup({ input: entry, plugins: [nodeResolve({ browser: true })] });
    await bundle.write({ dir: out, format: 'es', entryFileNames: 'main.js' });
  },
  esbuild: ({ entry, out }) =>
    esbuild.build({ entryPoints: { main: entry }, outdir: out, bundle: true, minify: true, splitting: true, format: 'esm' }),
};

/** The package as `npm publish` would send it, in a folder. */
export class Tarball {
  private constructor(
    private readonly folder: string,
    readonly file: string,
  ) {}

  static async pack(): Promise<Tarball> {
    const folder = await mkdtemp(join(tmpdir(), 'quartile-pack-'));
    await run('npm', ['pack', '--workspace', 'npm', '--pack-destination', folder], { cwd: ROOT });
    const [name] = await readdir(folder);
    if (!name) throw new Error('npm pack made no tarball');
    return new Tarball(folder, join(folder, name));
  }

  /** A project that has installed it, with no registry in reach, and the sources of `tests/bundlers`. */
  async project(): Promise<string> {
    const folder = await mkdtemp(join(this.folder, 'project-'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', this.file], { cwd: folder });
    for (const file of await readdir(SOURCES)) {
      if (file.endsWith('.js')) await copyFile(join(SOURCES, file), join(folder, file));
    }
    return folder;
  }

  /** The bundles that one of the bundlers makes of one of the sources. */
  async bundle(bundler: string, source = 'main.js'): Promise<string> {
    const folder = await this.project();
    const out = join(folder, 'out');
    await mkdir(out);
    const build = BUNDLERS[bundler];
    if (!build) throw new Error(`there is no bundler ${bundler}`);
    await build({ folder, entry: join(folder, source), out });
    return out;
  }

  /** The files that Next.js makes of `tests/bundlers/next`, whose own packages are installed from its lock file. */
  async next(): Promise<string> {
    const folder = await mkdtemp(join(this.folder, 'next-'));
    const sources = ['app', 'next.config.js', 'package.json', 'package-lock.json'];
    for (const name of sources) await cp(join(SOURCES, 'next', name), join(folder, name), { recursive: true });
    await run('npm', ['install', '--omit=optional', '--no-audit', '--no-fund'], { cwd: folder });
    const installed = join(folder, 'node_modules/quartile');
    await mkdir(installed);
    await run('tar', ['xzf', this.file, '-C', installed, '--strip-components=1']);
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
    await run(join(folder, 'node_modules/.bin/next'), ['build'], { cwd: folder, env });
    return join(folder, 'out');
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
