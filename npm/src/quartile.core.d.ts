// What the build makes of the module for pages that allow no WebAssembly.
import type { Core } from './core.js';

export declare function instantiate(): Core;
