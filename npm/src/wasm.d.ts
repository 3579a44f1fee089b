declare module '*.wasm' {
  /** The module as text: two characters for each byte, whose low halves are its high and its low half. */
  const text: string;
  export default text;
}

/** The name and version that batches carry. */
declare const SDK: string;
