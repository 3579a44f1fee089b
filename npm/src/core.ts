// The core, as WebAssembly or as JavaScript. It takes and gives numbers; texts are written into its memory and read out of
// it here.
import { Outcome, PageSignal, ROOM, Signal } from './boundary.js';

/** What is tracked of a page for one site: an instance of the module. `sdk-wasm/src/lib.rs` has the other side. */
export interface Core {
  readonly memory: { readonly buffer: ArrayBuffer };
  room(): number;
  result(): number;
  result_length(): number;
  start(user: number, contextBytes: number, a: number, b: number, c: number, d: number, mono: number, wall: number): void;
  attach(subject: number, kind: number): number;
  detach(player: number, now: number): void;
  describe(subject: number, kind: number, player: number, now: number): void;
  observe(
    texts: number,
    player: number,
    signal: Signal,
    flags: number,
    pos: number,
    duration: number,
    rate: number,
    volume: number,
    a: number,
    b: number,
    c: number,
    now: number,
  ): void;
  user(user: number, now: number): void;
  snapshot(player: number): void;
  page(signal: PageSignal, now: number): void;
  timeout(now: number): void;
  wake_at(): number;
  next(): number;
  delivered(delivery: number, outcome: Outcome, wait: number, serverTime: number, now: number): void;
}

/** Writes texts for the next call and gives what it is told of them: how many bytes they are. */
export function put(core: Core, ...texts: (string | undefined)[]): number {
  const room = new Uint8Array(core.memory.buffer, core.room(), ROOM);
  return new TextEncoder().encodeInto(texts.map((text = '') => `${text}\0`).join(''), room).written;
}

/** What the last call prepared. The memory is taken as it is now: when it grows, what was taken before is void. */
export const result = (core: Core) =>
  new TextDecoder().decode(new Uint8Array(core.memory.buffer, core.result(), core.result_length()));
