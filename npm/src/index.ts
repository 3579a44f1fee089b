// The package: `init` gives what tracks elements.
import { settings } from './options.js';
import { NOTHING, track } from './page.js';
import type { Options, Quartile } from './types.js';

export type { Facts, Meta, Options, Player, Quartile, Video, View } from './types.js';

/** One for each collector and site, however often a page asks. */
const pages = new Map<string, Quartile>();

/**
 * Begins to track a page for one site. Returns at once and never throws later; on a server it does nothing.
 *
 * @throws TypeError when an option is wrong; the message names it and what it must be.
 */
export function init(options: Options): Quartile {
  const good = settings(options);
  if (typeof window === 'undefined') return { track: () => NOTHING, destroy() {} };
  const key = `${good.url} ${good.site}`;
  let page = pages.get(key);
  if (!page) {
    page = track(good, () => pages.delete(key));
    pages.set(key, page);
  }
  return page;
}
