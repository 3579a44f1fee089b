// The sizes of what ships, as one line of JSON: `node size.mjs npm/size-budget.json`.
// A file's size is what one request for it carries: as it is, by gzip at level 9, and by brotli at quality 11.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const [budget] = process.argv.slice(2);
if (!budget) {
  console.error('usage: node size.mjs BUDGET.json');
  process.exit(2);
}

const entries = JSON.parse(readFileSync(budget, 'utf8')).entries.map(({ name, file, brotli }) => {
  const content = readFileSync(join(dirname(budget), file));
  return {
    name,
    raw: content.length,
    gzip: gzipSync(content, { level: 9 }).length,
    brotli: brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_LGWIN]: 22,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }).length,
    budget: brotli,
  };
});
console.log(JSON.stringify({ entries }));
