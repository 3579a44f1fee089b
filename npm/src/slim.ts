// The package without its core, which the page gives: the file `quartile.wasm` of this package.
import { begin } from './init.js';
import { loader, second } from './loading.js';
import { wrong } from './options.js';
import type { Options, Quartile } from './types.js';

export type * from './types.js';

/** The file `quartile.wasm`: where it is, what was answered there, what is in it, or the module that was made of it. */
export type Wasm = string | URL | Response | BufferSource | WebAssembly.Module;

export interface SlimOptions extends Options {
  /** The file `quartile.wasm` of the same version of this package, or a promise of it. */
  wasm: Wasm | Promise<Wasm>;
}

/** No streaming: it would insist on a header that not every server sends, and the file is small. */
async function compile(wasm: Wasm | Promise<Wasm>): Promise<WebAssembly.Module> {
  let given = await wasm;
  if (typeof given === 'string' || given instanceof URL) given = await fetch(given);
  if (given instanceof Response) given = await given.arrayBuffer();
  return given instanceof WebAssembly.Module ? given : WebAssembly.compile(given);
}

/**
 * Begins to track a page for one site. Returns at once and never throws later; on a server it does nothing.
 *
 * @throws TypeError when an option is wrong; the message names it and what it must be.
 */
export function init(options: SlimOptions): Quartile {
  const wasm = options?.wasm;
  if (options && !wasm && options.core !== 'js') wrong('wasm', 'the address or the content of the file "quartile.wasm"');
  return begin(options, loader(() => compile(wasm), second, options?.core));
}
