// The WebAssembly module as part of this file, as text: no second request, no path for a bundler to get wrong.
import { decode } from './module.js';

let compiled: Promise<WebAssembly.Module> | undefined;

/** The module, compiled once per page. */
export const inlined = () => (compiled ??= WebAssembly.compile(decode(MODULE)));
