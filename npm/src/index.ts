// The package: `init` gives what tracks elements. The core is WebAssembly, which is inlined.
import { begin } from './init.js';
import { inlined } from './inlined.js';
import { loader, second } from './loading.js';
import type { Options, Quartile } from './types.js';

export type * from './types.js';

/**
 * Begins to track a page for one site. Returns at once and never throws later; on a server it does nothing.
 *
 * @throws TypeError when an option is wrong; the message names it and what it must be.
 */
export const init = (options: Options): Quartile => begin(options, loader(inlined, second, options?.core));
