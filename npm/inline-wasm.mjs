// A WebAssembly module as text inside JavaScript, two characters for each byte: the low halves of their codes are its
// high and its low half. What compresses in the bytes still does so in this text, but not in base64, where the same bytes
// look different at every third place; and with an alphabet for each half, the compressor knows which is which.
import { readFileSync } from 'node:fs';

const HIGH = '0123456789:;<=>?';
const LOW = '@ABCDEFGHIJKLMNO';

export const toText = (bytes) => Array.from(bytes, (byte) => HIGH[byte >> 4] + LOW[byte & 15]).join('');

/** For esbuild: imports of `.wasm` files are such texts. */
export const inlineWasm = {
  name: 'inline-wasm',
  setup(build) {
    build.onLoad({ filter: /\.wasm$/ }, ({ path }) => ({ contents: toText(readFileSync(path)), loader: 'text' }));
  },
};
