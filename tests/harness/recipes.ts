/** The recipes of the package's README, as somebody copies them. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const README = fileURLToPath(new URL('../../npm/README.md', import.meta.url));

/** Markup, a module in JavaScript or JSX, and the packages that it needs. */
export interface Recipe {
  markup: string;
  code: string;
  loader: 'js' | 'jsx';
  packages: string[];
}

/** All recipes, by the names that the folders of `tests/pages` have: ``### `<video>` `` is `video`. */
export async function recipes(): Promise<Map<string, Recipe>> {
  const [, ...parts] = (await section('Players')).split(/^### /m);
  return new Map(parts.map((part) => [nameOf(part), read(part)]));
}

export async function recipe(name: string): Promise<Recipe> {
  const found = (await recipes()).get(name);
  if (!found) throw new Error(`npm/README.md has no recipe for ${name}`);
  return found;
}

/** What is under a heading of the README. */
export async function section(heading: string): Promise<string> {
  const parts = (await readFile(README, 'utf8')).split(/^## /m);
  const part = parts.find((one) => one.startsWith(`${heading}\n`));
  if (!part) throw new Error(`npm/README.md has no part called ${heading}`);
  return part;
}

/** The only block of code in a language, as it is copied out of its list. */
export function block(text: string, language: string): string {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms');
  const [found, ...more] = [...text.matchAll(fence)];
  if (!found || more.length > 0) throw new Error(`one block of ${language} was expected:\n${text}`);
  const [, indent = '', code = ''] = found;
  return code.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

function nameOf(part: string): string {
  const heading = part.slice(0, part.indexOf('\n'));
  return heading.toLowerCase().replaceAll(/[`<>]/g, '').trim().replaceAll(' ', '-');
}

function read(part: string): Recipe {
  const loader = part.includes('```jsx') ? 'jsx' : 'js';
  const [, packages = ''] = /^npm install (.*)$/.exec(block(part, 'sh').trim()) ?? [];
  return { markup: block(part, 'html'), code: block(part, loader), loader, packages: packages.split(' ') };
}
