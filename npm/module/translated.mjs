// The core in JavaScript, as binaryen's `wasm2js` writes it: one instance, made when the file is read.

/** Where it begins to make its instance. */
const INSTANCE = 'var retasmFunc = ';

/** The same with an export that makes an instance each time, because each site of a page has one of its own. */
export function instantiable(code) {
  const at = code.indexOf(INSTANCE);
  if (at < 0 || /^\s*import\b/m.test(code)) throw new Error('wasm2js wrote something else than npm/module/translated.mjs knows');
  return `export const instantiate = () => {\n${code.slice(0, at)}return asmFunc({});\n};\n`;
}
