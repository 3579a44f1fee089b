// Where the core comes from, for whoever wants to make the same and compare.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What a program prints; nothing where there is none, as in an unpacked archive of the sources. */
function printed(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

const manifest = (name) => JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url)));

/** The same for the same sources and tools: no dates, no paths. */
export function provenance(wasm, version) {
  const changed = printed('git', 'status', '--porcelain', '--', '../protocol', '../tracker', '../sdk-wasm', '../xtask/snip', '../Cargo.lock');
  return {
    file: 'quartile.wasm',
    sha256: createHash('sha256').update(readFileSync(wasm)).digest('hex'),
    crate: 'quartile-sdk-wasm',
    version,
    commit: printed('git', 'rev-parse', 'HEAD'),
    clean: changed === '',
    rustc: printed('rustc', '--version'),
    target: 'wasm32-unknown-unknown',
    binaryen: manifest('binaryen').version,
    build: 'cargo xtask build',
  };
}
