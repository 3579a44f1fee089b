// The module on its way: whatever can be compiled comes back, whatever could not is refused when the package is built.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { LOCALS, Table, decode } from '../module/decoder.mjs';
import { encode } from '../module/encode.mjs';

/** A module of the text format, as bytes. */
function assemble(text) {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** A module in the text format, in which numbers are not padded; and without hints of alignment. */
function disassemble(bytes) {
  const module = binaryen.readBinary(bytes);
  const text = module.emitText().replace(/ align=\d/g, '');
  module.dispose();
  return text;
}

/** Sends a module on its way; it must say the same afterwards. Gives its exports. */
function travel(text) {
  const module = assemble(text);
  const sent = encode(module);
  assert.match(sent, /^[ -~]*$/, 'it is plain ASCII');
  const came = decode(sent);
  assert.ok(WebAssembly.validate(came));
  assert.equal(disassemble(came), disassemble(module));
  assert.equal(encode(came), sent);
  return new WebAssembly.Instance(new WebAssembly.Module(came)).exports;
}

const one = (type, expression) => travel(`(module (func (export "run") (result ${type}) ${expression}))`).run();

const integers = [0, 1, 7, 8, 55, 56, 63, 64, 127, 128, 1791, 1792, 8191, 16384, 53_000, 65535, 1_048_576, 2 ** 31 - 1];

test('integers of every size come back', () => {
  for (const value of integers.flatMap((value) => [value, -value, ~value])) {
    assert.equal(one('i32', `(i32.const ${value})`), value | 0);
    assert.equal(one('i64', `(i64.const ${value})`), BigInt(value));
  }
  for (const value of [2n ** 63n - 1n, -(2n ** 63n), 0x8080808080808080n - 2n ** 64n, 2n ** 53n + 1n]) {
    assert.equal(one('i64', `(i64.const ${value})`), value);
  }
});

test('floats come back bit by bit', () => {
  for (const value of [0, 0.1, -0.1, 1e300, -5e-324, Infinity, 255.9999, -1.9921875]) {
    assert.equal(one('f64', `(f64.const ${value === Infinity ? 'inf' : value})`), value);
  }
  assert.equal(one('f32', '(f32.const -0.5)'), -0.5);
  assert.equal(one('i64', '(i64.reinterpret_f64 (f64.const nan:0x4000000000123))'), 0x7ff4000000000123n);
});

test('tables of branches and of functions come back', () => {
  const { pick, call, depth } = travel(`(module
    (type $unary (func (param i32) (result i32)))
    (table 3 3 funcref)
    (elem (i32.const 0) $double $negate $pick)
    (func $double (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
    (func $negate (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
    (func $pick (export "pick") (param i32) (result i32)
      (block $c (block $b (block $a (br_table $a $b $a $c (local.get 0))) (return (i32.const 10))) (return (i32.const 20)))
      (i32.const 30))
    (func (export "call") (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 1) (local.get 0)))
    (func (export "depth") (param i32) (result i32)
      (block $out (result i32)
        (loop $again
          (drop (br_if $out (i32.const 5) (i32.eqz (local.get 0))))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br $again))
        (unreachable))))`);
  assert.deepEqual([0, 1, 2, 3, 9].map(pick), [10, 20, 10, 30, 30]);
  assert.deepEqual([call(0, 21), call(1, 21), call(2, 1)], [42, -21, 20]);
  assert.equal(depth(3), 5);
});

test('memory comes back: its data, its offsets, copying, filling, growing', () => {
  const every = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const { memory, run, size } = travel(`(module
    (memory (export "memory") 1 3)
    (data (i32.const 0) "${every}")
    (data (i32.const 60000) "an end")
    (func (export "run")
      (memory.copy (i32.const 300) (i32.const 97) (i32.const 26))
      (memory.fill (i32.const 400) (i32.const 7) (i32.const 3))
      (i64.store offset=500 (i32.const 0) (i64.load offset=66 align=1 (i32.const 1)))
      (i32.store8 offset=40000 (i32.const 0) (i32.load16_s align=1 (i32.const 0)))
      (f64.store offset=1791 (i32.const 1) (f64.const 2)))
    (func (export "size") (result i32) (drop (memory.grow (i32.const 2))) (memory.size)))`);
  run();
  const bytes = new Uint8Array(memory.buffer);
  const text = (at, length) => new TextDecoder().decode(bytes.subarray(at, at + length));
  assert.deepEqual([...bytes.subarray(0, 256)], Array.from({ length: 256 }, (_, byte) => byte));
  assert.deepEqual([text(300, 26), text(60_000, 6), text(500, 8)], ['abcdefghijklmnopqrstuvwxyz', 'an end', 'CDEFGHIJ']);
  assert.deepEqual([...bytes.subarray(399, 404)], [0, 7, 7, 7, 0]);
  assert.equal(new DataView(memory.buffer).getFloat64(1792, true), 2);
  assert.equal(size(), 3);
});

test('locals of all types come back, however many', () => {
  const locals = Array.from({ length: LOCALS - 2 }, (_, index) => ['i32', 'i64', 'f32', 'f64'][index % 4]);
  const body = locals.map((type, index) => `(local.set ${index + 2} (${type}.const ${index}))`).join(' ');
  const text = (more) => `(module (func (export "run") (param i32 i32) (result i64) (local ${locals.join(' ')} ${more}) ${body}
    (if (local.tee 0 (local.get 1)) (then (local.set 0 (i32.const 0)))) (local.get ${LOCALS - 1}) (drop) (local.get ${LOCALS - 5})
    (drop) (local.get 3)))`;
  assert.equal(travel(text('')).run(1, 2), 1n);
  const module = text('i32').replace('(drop) (local.get 3)', `(drop) (local.set ${LOCALS} (i32.const 1)) (local.get 3)`);
  assert.throws(() => encode(assemble(module)), new RegExp(`local ${LOCALS}: LOCALS in npm/src/module.ts`));
});

/** Opcodes of one type, what they take, and what they give. */
const OPERATIONS = [
  ['i32', 1, 'i32', 'clz ctz popcnt eqz extend8_s extend16_s'],
  ['i32', 2, 'i32', 'add sub mul and or xor shl shr_s shr_u rotl rotr eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u div_s rem_u'],
  ['i64', 1, 'i64', 'clz ctz popcnt extend8_s extend16_s extend32_s'],
  ['i64', 2, 'i64', 'add sub mul and or xor shl shr_s shr_u rotl rotr div_u rem_s'],
  ['i64', 2, 'i32', 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'],
  ...['f32', 'f64'].flatMap((type) => [
    [type, 1, type, 'abs neg ceil floor trunc nearest sqrt'],
    [type, 2, type, 'add sub mul div min max copysign'],
    [type, 2, 'i32', 'eq ne lt gt le ge'],
  ]),
  ...['i32', 'i64'].flatMap((to) => [
    ...['f32', 'f64'].map((from) => [from, 1, to, `trunc_sat_${from}_s trunc_sat_${from}_u trunc_${from}_s`, to]),
    ...['f32', 'f64'].map((into) => [to, 1, into, `convert_${to}_s convert_${to}_u`, into]),
  ]),
  ['i64', 1, 'i32', 'wrap_i64', 'i32'],
  ['i32', 1, 'i64', 'extend_i32_s extend_i32_u', 'i64'],
  ['f64', 1, 'f32', 'demote_f64', 'f32'],
  ['f32', 1, 'f64', 'promote_f32', 'f64'],
  ['f64', 1, 'i64', 'reinterpret_f64', 'i64'],
  ['i32', 1, 'f32', 'reinterpret_i32', 'f32'],
];

test('every operation of the first version and its extensions comes back', () => {
  const functions = OPERATIONS.flatMap(([from, count, to, names, prefix = from]) => {
    const operands = Array.from({ length: count }, (_, index) => `(local.get ${index})`).join(' ');
    return names.split(' ').map((name) => `(func (export "${prefix}.${name}") (param ${from} ${from}) (result ${to})
      (${prefix}.${name} ${operands}))`);
  });
  const accesses = ['i32', 'i64', 'f32', 'f64'].flatMap((type) => {
    const narrow = { i32: ['8', '16'], i64: ['8', '16', '32'] }[type] ?? [];
    const loads = ['load', ...narrow.flatMap((bits) => [`load${bits}_s`, `load${bits}_u`])];
    const stores = ['store', ...narrow.map((bits) => `store${bits}`)];
    return [
      ...loads.map((load) => `(drop (${type}.${load} offset=9 (i32.const 1)))`),
      ...stores.map((store) => `(${type}.${store} (i32.const 8) (${type}.const 3))`),
    ];
  });
  const exports = travel(`(module (memory 1) (global $g (mut i32) (i32.const 3)) ${functions.join('\n')}
    (func (export "rest") (result i32) ${accesses.join(' ')} (nop)
      (global.set $g (select (global.get $g) (i32.const 4) (i32.const 0)))
      (if (result i32) (i32.eqz (global.get $g)) (then (i32.const 1)) (else (i32.const 2)))))`);
  assert.ok(functions.length > 100);
  assert.equal(exports['i32.sub'](5, 7), -2);
  assert.equal(exports['i64.trunc_sat_f64_u'](1e30, 0), -1n);
  assert.equal(exports['i32.extend8_s'](255, 0), -1);
  assert.equal(exports.rest(), 2);
});

test('every letter that stands for a byte below 32 is there once, and is no text that must be escaped', () => {
  assert.equal(new Set(Table.Low).size, Table.Low.length);
  assert.doesNotMatch(Table.Low, /["\\a-z{|}~]/);
});

test('what is not understood is refused', () => {
  const vector = '(module (func (export "run") (result i32) (i32x4.extract_lane 0 (v128.const i32x4 1 2 3 4))))';
  assert.throws(() => encode(assemble(vector)), /opcode fd, which npm\/module\/encode.mjs does not know/);
  const table = '(module (table 1 funcref) (func (export "run") (result i32) (table.grow (ref.null func) (i32.const 1))))';
  assert.throws(() => encode(assemble(table)), /opcode d0/);
  const passive = '(module (memory 1) (data $d "abc") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))))';
  assert.throws(() => encode(assemble(passive)), /opcode fc 08/);
  assert.throws(() => encode(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9)), /ends too early/);
});

test('the package carries the module that was built', () => {
  const module = readFileSync(new URL('../generated/quartile.wasm', import.meta.url));
  const came = decode(encode(module));
  assert.equal(disassemble(came), disassemble(module));
});
