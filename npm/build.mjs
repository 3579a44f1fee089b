// Makes what ships out of `src/` and of `generated/`, which `cargo xtask build` fills: the package's entries, the script
// for a tag, the core as WebAssembly and as JavaScript, the types, the licences and where the core comes from.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build, transform } from 'esbuild';
import { minify } from 'terser';
import { inline } from './module/inline.mjs';
import { provenance } from './module/provenance.mjs';
import { instantiable } from './module/translated.mjs';

process.chdir(import.meta.dirname);
const [wasm, translated] = ['generated/quartile.wasm', 'generated/translated.js'];
for (const file of [wasm, translated]) {
  if (existsSync(file)) continue;
  console.error(`${file} is missing: run \`cargo xtask build\``);
  process.exit(1);
}
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const target = 'es2021';

rmSync('dist', { recursive: true, force: true });

/** What the tag's second file is called, and the entries find beside them. */
const CORE = 'quartile.core.js';
const core = await transform(instantiable(readFileSync(translated, 'utf8')), { minify: true, target, format: 'esm' });
/** As the collector names it. */
const name = createHash('sha256').update(core.code).digest('hex').slice(0, 24);

const common = {
  bundle: true,
  minify: true,
  sourcemap: true,
  outdir: 'dist',
  target,
  legalComments: 'none',
  external: [`./${CORE}`],
  write: false,
  define: {
    SDK: JSON.stringify(`quartile-web/${version}`),
    MODULE: JSON.stringify(inline(readFileSync(wasm))),
    CORE: JSON.stringify(`${CORE}?${name}`),
  },
};
// What the shell calls its own; the page, the wire and the module know none of these names.
const shell = { ...common, mangleProps: /^(tracked|keep|look|fullscreen|say|again|hold|forget|begin|run|envelope|load|drop|left|open)$/ };

/** Bundles, and has what comes of it made smaller still: a bundler must be quick, and what ships small. */
async function bundle(options) {
  const { outputFiles } = await build(options);
  const texts = Object.fromEntries(outputFiles.map(({ path, text }) => [path, text]));
  for (const [path, text] of Object.entries(texts).filter(([path]) => path.endsWith('.js'))) {
    const { code, map } = await minify(text.replace(/\n\/\/# sourceMappingURL.*\n$/, ''), {
      module: options.format === 'esm',
      ecma: 2020,
      // esbuild has evaluated what can be; a second time makes it larger.
      compress: { ecma: 2020, passes: 2, unsafe_arrows: true, pure_getters: true, evaluate: false },
      format: { comments: false },
      sourceMap: { content: texts[`${path}.map`], url: `${basename(path)}.map` },
    });
    writeFileSync(path, code);
    writeFileSync(`${path}.map`, map);
  }
}
mkdirSync('dist');
const ENTRIES = ['index', 'slim', 'js'];
await bundle({ ...shell, entryPoints: ENTRIES.map((entry) => `src/${entry}.ts`), format: 'esm' });
await bundle({ ...shell, entryPoints: { quartile: 'src/script.ts' }, format: 'iife' });
// What one entry takes from another it takes from the file that is that entry: who imports both gets it once.
const external = ['./index.js', './hls.js', 'react'];
for (const entry of ['adapters/hls', 'adapters/dash', 'adapters/shaka', 'adapters/videojs', 'react']) {
  await bundle({ ...common, entryPoints: { [basename(entry)]: `src/${entry}.ts` }, external, format: 'esm' });
}
writeFileSync(join('dist', CORE), core.code);
cpSync(wasm, 'dist/quartile.wasm');
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) cpSync(`../${licence}`, licence);
writeFileSync('dist/provenance.json', `${JSON.stringify(provenance(wasm, version), null, 2)}\n`);

// The compiler writes types for every file; these are the public ones.
const scratch = mkdtempSync(join(tmpdir(), 'quartile-types-'));
const flags = ['-p', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', scratch];
execFileSync(process.execPath, ['../node_modules/typescript/bin/tsc', ...flags], { stdio: 'inherit' });
for (const file of [...ENTRIES.map((entry) => `${entry}.d.ts`), 'types.d.ts', 'react.d.ts', 'adapters']) {
  cpSync(join(scratch, 'src', file), join('dist', file), { recursive: true });
}
rmSync(scratch, { recursive: true });
