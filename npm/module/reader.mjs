// Reads what a WebAssembly module is made of.

/** What is read of some bytes, one after the other. */
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get done() {
    return this.at >= this.bytes.length;
  }

  /** The next bytes. */
  take(count) {
    if (this.at + count > this.bytes.length) throw new Error('the WebAssembly module ends too early');
    return this.bytes.subarray(this.at, (this.at += count));
  }

  byte() {
    return this.take(1)[0];
  }

  /** The bytes of a number: all but its last are above 127. */
  leb() {
    const start = this.at;
    while (this.byte() > 127);
    return this.bytes.subarray(start, this.at);
  }

  unsigned() {
    return this.leb().reduceRight((high, byte) => high * 128 + (byte & 127), 0);
  }

  signed() {
    const bytes = this.leb();
    const value = bytes.reduceRight((high, byte) => high * 128 + (byte & 127), 0);
    return bytes.at(-1) & 64 ? value - 128 ** bytes.length : value;
  }

  /** A reader of what is next, whose length stands before it. */
  sized() {
    return new Reader(this.take(this.unsigned()));
  }
}
