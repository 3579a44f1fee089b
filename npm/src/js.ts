// The package without WebAssembly, for pages that are known to allow none: the core is JavaScript.
import { begin } from './init.js';
import { instantiate } from './quartile.core.js';
import type { Options, Quartile } from './types.js';

export type * from './types.js';

/**
 * Begins to track a page for one site. Returns at once and never throws later; on a server it does nothing.
 *
 * @throws TypeError when an option is wrong; the message names it and what it must be.
 */
export const init = (options: Options): Quartile => begin(options, async () => instantiate());
