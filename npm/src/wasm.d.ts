declare module '*.wasm' {
  /** The module in base64. */
  const base64: string;
  export default base64;
}

/** The name and version that batches carry. */
declare const SDK: string;
