/**
 * What analytics cost a page: the same playback without any, with Quartile, and with mux-embed, which sends to this machine
 * instead of its maker's. Usage: node --import tsx bench/sdk.ts [--json] [--rounds N] [--seconds N]
 *
 * The three play side by side, each in a browser of its own, so that whatever else the machine does meets all of them; the
 * time is that of the processor in the main thread of each page, so that they do not count one another. What a page costs
 * without analytics is taken off. One more round takes samples of what is allocated, which would disturb the times.
 */

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

import { Collector } from '../harness/collector.ts';
import { Pages } from '../harness/pages.ts';
import { Counter, type Sent } from './counter.ts';
import { type Cost, play } from './playback.ts';

const KINDS = ['none', 'quartile', 'mux'] as const;

type Kind = (typeof KINDS)[number];

/** What a playback cost and sent. */
type Figures = Cost & Sent;

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (!(value > 0)) throw new Error(`--${name} needs a number`);
  return value;
};

const CODE: Record<Kind, (port: number) => string> = {
  none: () => '',
  quartile: (port) => `import { init } from 'quartile';
    init({ collector: 'http://localhost:${port}', site: 'demo' }).track(document.querySelector('video'));`,
  mux: (port) => `import mux from 'mux-embed';
    mux.monitor('#film', { beaconCollectionDomain: 'localhost:${port}',
      data: { env_key: 'bench', video_id: 'film', video_title: 'A film', player_name: 'plain' } });`,
};

async function script(kind: Kind, port: number): Promise<string> {
  const resolveDir = fileURLToPath(new URL('..', import.meta.url));
  const stdin = { contents: CODE[kind](port), resolveDir };
  // The second file stays one; a page that allows WebAssembly never asks for it.
  const external = ['./quartile.core.js'];
  const { outputFiles } = await build({ stdin, external, bundle: true, minify: true, write: false, format: 'iife' });
  return outputFiles[0]?.text ?? '';
}

/** One playback of one kind, with a collector and a counter of its own. */
async function playback(kind: Kind, seconds: number, samples: boolean): Promise<Figures> {
  const pages = await Pages.start();
  const collector = kind === 'quartile' ? await Collector.start() : undefined;
  const counter = await Counter.start(collector?.origin);
  try {
    const html = `<!doctype html><title>${kind}</title>
      <video id="film" src="/media/clip-60s.mp4" loop width="640"></video><script>${await script(kind, counter.port)}</script>`;
    const cost = await play(pages.add(kind, html), seconds, samples);
    if (kind !== 'none' && counter.sent.requests === 0) throw new Error(`${kind} sent nothing: there is nothing to compare`);
    return { ...cost, ...counter.sent };
  } finally {
    counter.stop();
    await collector?.remove();
    await pages.stop();
  }
}

async function round(seconds: number, samples: boolean): Promise<Record<Kind, Figures>> {
  const figures = await Promise.all(KINDS.map((kind) => playback(kind, seconds, samples)));
  return Object.fromEntries(KINDS.map((kind, index) => [kind, figures[index]])) as Record<Kind, Figures>;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median over the rounds of what a kind has more than the page without analytics, with its least and its most. */
function beyond(rounds: Record<Kind, Figures>[], kind: Kind, name: keyof Figures) {
  const values = rounds.map((round) => round[kind][name] - round.none[name]);
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function summary(rounds: Record<Kind, Figures>[], samples: Record<Kind, Figures>, seconds: number) {
  const of = (kind: Kind, name: keyof Figures) => beyond(rounds, kind, name).median;
  const ratio = (name: keyof Figures) => of('quartile', name) / of('mux', name);
  const allocated = (kind: Kind) => beyond([samples], kind, 'allocated').median;
  return {
    main_thread_ratio_to_mux: ratio('mainThreadMs'),
    script_ratio_to_mux: ratio('scriptMs'),
    allocated_ratio_to_mux: allocated('quartile') / allocated('mux'),
    bytes_ratio_to_mux: ratio('bytes'),
    requests: of('quartile', 'requests'),
    requests_mux: of('mux', 'requests'),
    main_thread_ms: of('quartile', 'mainThreadMs'),
    main_thread_ms_mux: of('mux', 'mainThreadMs'),
    script_ms: of('quartile', 'scriptMs'),
    script_ms_mux: of('mux', 'scriptMs'),
    allocated_bytes: allocated('quartile'),
    allocated_bytes_mux: allocated('mux'),
    sent_bytes: of('quartile', 'bytes'),
    sent_bytes_mux: of('mux', 'bytes'),
    rounds: rounds.length,
    seconds,
  };
}

function table(rounds: Record<Kind, Figures>[]): string {
  const rows: [string, keyof Figures][] = [
    ['main thread, ms', 'mainThreadMs'],
    ['of that scripts, ms', 'scriptMs'],
    ['requests', 'requests'],
    ['bytes sent', 'bytes'],
  ];
  const cell = (kind: Kind, name: keyof Figures) => {
    const { median, least, most } = beyond(rounds, kind, name);
    return `${median.toFixed(0)} (${least.toFixed(0)} to ${most.toFixed(0)})`.padStart(28);
  };
  const lines = rows.map(([what, name]) => `${what.padEnd(22)}${cell('quartile', name)}${cell('mux', name)}`);
  return [`${''.padEnd(22)}${'quartile'.padStart(28)}${'mux-embed'.padStart(28)}`, ...lines].join('\n');
}

const [count, seconds] = [option('rounds', 5), option('seconds', 120)];
const samples = await round(seconds, true);
const rounds: Record<Kind, Figures>[] = [];
while (rounds.length < count) {
  rounds.push(await round(seconds, false));
  console.error(`round ${rounds.length} of ${count}`);
}
console.error(`\nBeyond the same playback without analytics; median (least to most)\n\n${table(rounds)}`);
const figures = summary(rounds, samples, seconds);
if (process.argv.includes('--json')) console.log(JSON.stringify(figures));
else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(28)}${+value.toFixed(3)}`);
