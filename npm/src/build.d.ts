// What the build puts in.

/** The WebAssembly module as text, for `decode`. */
declare const MODULE: string;

/** The file of the translated core beside the script, with the name of its content. */
declare const CORE: string;

/** The name and version that batches carry. */
declare const SDK: string;
