// The WebAssembly module as it is put into the package.
import { decode } from './decoder.mjs';
import { encode } from './encode.mjs';

/** The text of a module, of which nothing was lost. */
export function inline(module) {
  const text = encode(module);
  const decoded = decode(text);
  if (!WebAssembly.validate(decoded) || encode(decoded) !== text) {
    throw new Error('the text of the WebAssembly module does not give it back');
  }
  return text;
}
