// What the browser reads the module with, for the tools that write it.
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: [new URL('../src/module.ts', import.meta.url).pathname],
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');

export const { Column, LABEL, LOCALS, Table, decode } = await import(`data:text/javascript;base64,${code}`);
