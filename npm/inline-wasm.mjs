// The WebAssembly module inside JavaScript: imports of `.wasm` files are its text.
import { readFileSync } from 'node:fs';
import { decode } from './module/decoder.mjs';
import { encode } from './module/encode.mjs';

/** The text of a module, of which nothing was lost. */
function inline(module) {
  const text = encode(module);
  const decoded = decode(text);
  if (!WebAssembly.validate(decoded) || encode(decoded) !== text) throw new Error('the text of the module does not give it back');
  return text;
}

/** For esbuild. */
export const inlineWasm = {
  name: 'inline-wasm',
  setup(build) {
    build.onLoad({ filter: /\.wasm$/ }, ({ path }) => ({ contents: inline(readFileSync(path)), loader: 'text' }));
  },
};
