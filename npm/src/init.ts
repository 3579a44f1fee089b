// What all entries of the package have in common.
import type { Load } from './loading.js';
import { settings } from './options.js';
import { NOWHERE, track } from './page.js';
import type { Options, Quartile } from './types.js';

/** One for each collector and site, however often a page asks. */
const pages = new Map<string, Quartile>();

/** Begins to track a page for one site, with a core that is loaded so. */
export function begin(options: Options, load: Load): Quartile {
  const good = settings(options, load);
  if (typeof window === 'undefined') return NOWHERE;
  const key = `${good.url} ${good.site}`;
  let page = pages.get(key);
  if (!page) {
    page = track(good, () => pages.delete(key));
    pages.set(key, page);
  }
  return page;
}
