// The WebAssembly module on its way: text in columns, one for each kind of number that follows an opcode, because what
// is alike compresses best side by side. `module/encode.mjs` writes what is read here.

/** The columns, in the order that was found to compress best. The digits of `Table.Kinds` are some of them. */
export enum Column {
  After,
  Gets,
  Sets,
  Integers,
  Branches,
  Bytes,
  Globals,
  Calls,
  Offsets,
  Blocks,
  Functions,
  Opcodes,
  Before,
}

/** An opcode that does not exist: only a number comes here, one more of a table of branches. */
export const LABEL = 6;

/** Texts that are looked up in. They are an enumeration so that they are put where they are used. */
export enum Table {
  /** By opcode, the column of what follows it; nothing follows those that are 0 or beyond. */
  Kinds = '009990400000444077000000000000001226600088888888888888888888888003555',
  /**
   * The characters of the bytes below 32: such as the columns of bytes have less need of, and which stands for which, so
   * that it compresses best. The grave accent stands for none: what ends a text of JavaScript must not be in it.
   */
  Low = "+4/#%^ZMQS=,L]Y[X&.J*C13?@WH8<T0`",
}

/** How many locals a function may have. */
export const LOCALS = 512;

/** The module that a text stands for, but for hints of alignment. Its numbers are as long as they may be: five bytes. */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  // A function may be longer than five times its text, but has a type, too.
  const out = new Uint8Array(5 * text.length);
  let end = 0;
  const put = (byte: number) => (out[end++] = byte);
  const putNumber = (value: number, at = (end += 5) - 5) => {
    for (let shift = 0; shift < 28; shift += 7) out[at++] = (value >> shift) | 128;
    out[at] = (value >> 28) & 127;
  };
  const putSized = (write: () => void) => {
    const start = (end += 5);
    write();
    putNumber(end - start, start - 5);
  };

  const columns = text.split('~').map((column) => {
    let at = 0;
    return () => column.charCodeAt(at++);
  });
  const byte = (column: Column) => {
    const code = columns[column]!();
    const low = Table.Low.indexOf(String.fromCharCode(code));
    return low >= 0 ? low : code < 123 ? code : code * 92 + columns[column]!() - 11348;
  };
  /** The last of a number's digits is below the grave accent, which ends JavaScript's text; those before are above. */
  const number = (column: Column) => {
    for (let high = 0; ; ) {
      const code = columns[column]!();
      if (code < 96) return high * 64 + code - 32;
      high = high * 29 + code - 96;
    }
  };
  const putAll = (column: Column) => {
    for (let next; (next = byte(column)) >= 0; ) put(next);
  };

  const first = new Uint16Array(LOCALS).map((_, index) => index);
  const putFunction = () => {
    let groups = number(Column.Functions);
    for (putNumber(groups); groups--; put(127 - number(Column.Functions))) putNumber(number(Column.Functions));
    const recent = first.slice();
    for (let depth = 1; depth; ) {
      const opcode = byte(Column.Opcodes);
      const column: Column = +Table.Kinds[opcode]!;
      if (opcode !== LABEL) put(opcode);
      if (opcode === 0xb) depth--;
      if (column === Column.Bytes) {
        let left = (opcode - 0x42) * 4;
        let last;
        do last = put(byte(column));
        while (left ? --left : last > 127);
      } else if (column > 0) {
        let value = number(column);
        if (column === Column.Blocks) {
          depth++;
          put(127 - value);
        } else {
          if (column === Column.Offsets) put(0);
          if (column === Column.Integers) value -= 8;
          if (column <= Column.Sets) {
            const rank = value;
            value = recent[rank]!;
            recent.copyWithin(1, 0, rank)[0] = value;
          }
          putNumber(value);
        }
      }
    }
  };

  putAll(Column.Before);
  putSized(() => {
    let functions = number(Column.Functions);
    for (putNumber(functions); functions--; ) putSized(putFunction);
  });
  putAll(Column.After);
  return out.subarray(0, end);
}
