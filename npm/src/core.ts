// The WebAssembly module, which is part of this file as text: no second request, no path for a bundler to get wrong.
import * as glue from '../generated/quartile_bg.js';
import wasm from '../generated/quartile_bg.wasm';

export type Shell = glue.Shell;

/** What is started with a host. */
export type Start = typeof glue.Shell.start;

let loading: Promise<Start> | undefined;

async function load(): Promise<Start> {
  const bytes = Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0));
  const imports = { './quartile_bg.js': glue as unknown as WebAssembly.ModuleImports };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as (() => void) | undefined)?.();
  return glue.Shell.start;
}

/** Starts the module once per page, without holding the page up. */
export function core(): Promise<Start> {
  loading ??= load();
  return loading;
}
