// The WebAssembly module, which is part of this file as text: no second request, no path for a bundler to get wrong. It
// takes numbers; the few texts are written into its memory and read out of it here.
import type * as Exports from '../generated/exports.js';
import text from '../generated/quartile.wasm';

/** What is tracked on a page for one site: the number by which the module knows it. */
export type Core = number & { readonly core: unique symbol };

/** What the module exports, once it is loaded. */
export let wasm: typeof Exports;

let loading: Promise<void> | undefined;

async function instantiate(): Promise<void> {
  const half = (index: number) => text.charCodeAt(index) & 15;
  const bytes = new Uint8Array(text.length / 2).map((_, index) => (half(2 * index) << 4) | half(2 * index + 1));
  const { instance } = await WebAssembly.instantiate(bytes);
  wasm = instance.exports as unknown as typeof Exports;
}

/** Starts the module once per page, without holding the page up; until then nothing of it may be called. */
export function load(): Promise<void> {
  loading ??= instantiate();
  return loading;
}

/** The memory as it is now: when it grows, what was taken of it before is void. */
const memory = (pointer: number, length: number) => new Uint8Array(wasm.memory.buffer, pointer, length);

/** Hands a text over to the module, which frees it. */
function hand(text: string): [pointer: number, length: number] {
  const bytes = new TextEncoder().encode(text);
  const { length } = bytes;
  const pointer = wasm.__wbindgen_malloc(length, 1) >>> 0;
  memory(pointer, length).set(bytes);
  return [pointer, length];
}

/** Puts a text where the next call that uses it takes it. */
export function put(key: number, text: string): void {
  wasm.put(key, ...hand(text));
}

/** Adds one of the site's own dimensions for the next call that takes them. */
export function dim(name: string, value: string): void {
  wasm.dim(...hand(name), ...hand(value));
}

/** The body of the request that comes next. */
export function body(core: Core): string {
  const result = wasm.__wbindgen_add_to_stack_pointer(-16);
  wasm.core_body(result, core);
  const [pointer = 0, length = 0] = new Uint32Array(wasm.memory.buffer, result, 2);
  const text = new TextDecoder().decode(memory(pointer, length));
  wasm.__wbindgen_free(pointer, length, 1);
  wasm.__wbindgen_add_to_stack_pointer(16);
  return text;
}
