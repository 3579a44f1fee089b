// Makes what ships out of `src/` and of `generated/`, which `cargo xtask build` fills: the package's entry, the script
// for a tag, and the types.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { inline } from './module/inline.mjs';

process.chdir(import.meta.dirname);
const wasm = 'generated/quartile.wasm';
if (!existsSync(wasm)) {
  console.error(`${wasm} is missing: run \`cargo xtask build\``);
  process.exit(1);
}
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('dist', { recursive: true, force: true });
const common = {
  bundle: true,
  minify: true,
  sourcemap: true,
  target: 'es2021',
  legalComments: 'none',
  // What the shell calls its own; the page, the wire and the module know none of these names.
  mangleProps: /^(tracked|keep|look|fullscreen|say)$/,
  define: { SDK: JSON.stringify(`quartile-web/${version}`), MODULE: JSON.stringify(inline(readFileSync(wasm))) },
};
await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', format: 'esm' });
// What one entry takes from another it takes from the file that is that entry: who imports both gets it once.
const external = ['./index.js', './hls.js', 'react'];
for (const name of ['adapters/hls', 'adapters/dash', 'adapters/shaka', 'adapters/videojs', 'react']) {
  const entry = { entryPoints: [`src/${name}.ts`], outfile: `dist/${basename(name)}.js` };
  await build({ ...common, ...entry, external, format: 'esm' });
}
await build({ ...common, entryPoints: ['src/script.ts'], outfile: 'dist/quartile.js', format: 'iife' });

// The compiler writes types for every file; those are the public ones.
const scratch = mkdtempSync(join(tmpdir(), 'quartile-types-'));
const flags = ['-p', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', scratch];
execFileSync(process.execPath, ['../node_modules/typescript/bin/tsc', ...flags], { stdio: 'inherit' });
for (const entry of ['index.d.ts', 'types.d.ts', 'react.d.ts', 'adapters']) {
  cpSync(join(scratch, 'src', entry), join('dist', entry), { recursive: true });
}
rmSync(scratch, { recursive: true });
