declare module '*.wasm' {
  /** The module as text, for `decode`. */
  const text: string;
  export default text;
}

/** The name and version that batches carry. */
declare const SDK: string;
