// Where the core comes from: WebAssembly where the page's policy allows it, else the same in JavaScript.
import type { Core } from './core.js';

/** Makes an instance of its own, without holding the page up. */
export type Load = () => Promise<Core>;

/**
 * The core of a module, and in its place `translated` where WebAssembly is refused. That is known only by trying, of which
 * a policy's owner gets a report; who wants none says at once that the core is `js`.
 */
export const loader = (module: () => Promise<WebAssembly.Module>, translated: Load, core?: 'js'): Load => async () => {
  if (core !== 'js') {
    try {
      const { exports } = await WebAssembly.instantiate(await module());
      return exports as unknown as Core;
    } catch {
      // By the page's policy, or because the browser has no WebAssembly in the mode it is in.
    }
  }
  return translated();
};

/** The translated core as a second file beside the first. */
export const second: Load = async () => (await import('./quartile.core.js')).instantiate();
