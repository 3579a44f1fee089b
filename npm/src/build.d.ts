// What the build puts in.

/** The WebAssembly module as text, for `decode`. */
declare const MODULE: string;

/** The name and version that batches carry. */
declare const SDK: string;
