// A WebAssembly module as text for JavaScript; `src/module.ts` reads it. Why like this: docs/decisions/0008.
import { Column, LABEL, LOCALS, Table } from './decoder.mjs';
import { Reader } from './reader.mjs';

const CODE = 10;
/** What a module works without: custom sections, and the number of data segments, which only `memory.init` needs. */
const LEFT_OUT = [0, 12];

const [BR_TABLE, CALL_INDIRECT, MEMORY_SIZE, MEMORY_GROW] = [0x0e, 0x11, 0x3f, 0x40];
const [I64_CONST, F32_CONST, PREFIX] = [0x42, 0x43, 0xfc];

/** The opcodes that are understood, from and to: those of the first version and the extensions of signs. */
const OPCODES = [[0x00, 0x05], [0x0b, 0x11], [0x1a, 0x1b], [0x20, 0x24], [0x28, 0xc4], [PREFIX, PREFIX]];
/** What may follow the prefix, and how many zeros come after it: saturating casts, and copying and filling memory. */
const PREFIXED = [0, 0, 0, 0, 0, 0, 0, 0, , , 2, 1];

const character = (code) => String.fromCharCode(code);

/** A byte is a character or, if that is taken, two. 256 more is the same byte once it is decoded, but never an opcode. */
function byteText(byte) {
  const one = byte < 32 ? Table.Low[byte] : character(byte);
  const taken = byte >= 32 && (byte >= 123 || Table.Low.includes(one));
  return taken ? character(123 + Math.floor(byte / 92)) + character(32 + (byte % 92)) : one;
}

/** A number ends with one of 64 digits; those before it are of 29 others. */
function numberText(number) {
  let text = character(32 + (number % 64));
  for (let high = Math.floor(number / 64); high > 0; high = Math.floor((high - 1) / 29)) {
    text = character(97 + ((high - 1) % 29)) + text;
  }
  return text;
}

/** The columns of a module. */
class Columns {
  texts = Object.values(Column).filter(Number.isInteger).map(() => '');

  number(column, value) {
    if (value < 0) throw new Error('the WebAssembly module has a type whose number takes more than a byte');
    this.texts[column] += numberText(value);
  }

  bytes(column, values) {
    for (const value of values) this.texts[column] += byteText(value);
  }

  code(reader) {
    let functions = reader.unsigned();
    this.number(Column.Functions, functions);
    while (functions--) this.function(reader.sized());
  }

  function(body) {
    let groups = body.unsigned();
    this.number(Column.Functions, groups);
    while (groups--) {
      this.number(Column.Functions, body.unsigned());
      this.number(Column.Functions, 127 - body.byte());
    }
    const recent = Array.from({ length: LOCALS }, (_, index) => index);
    while (!body.done) this.instruction(body, recent);
  }

  instruction(body, recent) {
    const opcode = body.byte();
    if (!OPCODES.some(([from, to]) => from <= opcode && opcode <= to)) throw unknown(opcode);
    this.bytes(Column.Opcodes, [opcode]);
    this.immediate(+Table.Kinds[opcode], opcode, body, recent);
    if (opcode === CALL_INDIRECT || opcode === MEMORY_SIZE || opcode === MEMORY_GROW) this.zeros(body, 1);
    if (opcode === PREFIX) {
      const second = body.byte();
      if (PREFIXED[second] === undefined) throw unknown(opcode, second);
      this.bytes(Column.Opcodes, [256 + second]);
      this.zeros(body, PREFIXED[second]);
    }
  }

  immediate(column, opcode, body, recent) {
    switch (column) {
      case Column.Gets:
      case Column.Sets:
        return this.number(column, rank(body.unsigned(), recent));
      case Column.Offsets:
        body.leb();
        return this.number(column, body.unsigned());
      case Column.Integers:
        return this.number(column, (body.signed() + 8 + 2 ** 32) % 2 ** 32);
      case Column.Blocks:
        return this.number(column, 127 - body.byte());
      case Column.Bytes:
        return this.bytes(column, opcode === I64_CONST ? body.leb() : body.take(opcode === F32_CONST ? 4 : 8));
      case Column.Branches:
      case Column.Calls:
      case Column.Globals: {
        const value = body.unsigned();
        this.number(column, value);
        return opcode === BR_TABLE && this.labels(body, value + 1);
      }
    }
  }

  /** The labels of a table and the one for all else. */
  labels(body, count) {
    while (count--) {
      this.bytes(Column.Opcodes, [LABEL]);
      this.number(Column.Branches, body.unsigned());
    }
  }

  zeros(body, count) {
    const zeros = body.take(count);
    if (zeros.some((zero) => zero !== 0)) throw new Error('the WebAssembly module has more than one memory or table');
    this.bytes(Column.Opcodes, zeros);
  }
}

function unknown(...opcode) {
  const digits = opcode.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return new Error(`the WebAssembly module has the opcode ${digits}, which npm/module/encode.mjs does not know`);
}

/** How many other locals were used since this one was. */
function rank(local, recent) {
  const rank = recent.indexOf(local);
  if (rank < 0) throw new Error(`the WebAssembly module has a local ${local}: LOCALS in npm/src/module.ts is too small`);
  recent.unshift(...recent.splice(rank, 1));
  return rank;
}

/** The text of a module; an error for what could not be read. */
export function encode(module) {
  const columns = new Columns();
  const reader = new Reader(module);
  columns.bytes(Column.Before, reader.take(8));
  let column = Column.Before;
  while (!reader.done) {
    const start = reader.at;
    const id = reader.byte();
    const section = reader.sized();
    if (id === CODE) {
      columns.bytes(Column.Before, [id]);
      columns.code(section);
      column = Column.After;
    } else if (!LEFT_OUT.includes(id)) columns.bytes(column, module.subarray(start, reader.at));
  }
  return columns.texts.join('~');
}
