/** The real collector: started, stopped, killed and started again on the same port with the same data. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Hopeless, eventually } from './eventually.ts';
import { LOOPBACK, freePort } from './ports.ts';
import { type Question, type Row, ask } from './report.ts';

const START_MS = 20_000;
const STOP_MS = 10_000;
const LOG_CHARS = 20_000;

/** Variables for the collector's environment, beside where it listens and keeps its data. */
export type Settings = Record<string, string>;

/** Whatever happens to the spec, its collectors end with it. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));
process.once('SIGTERM', () => process.exit(143));

export class Collector {
  private child: ChildProcess | undefined;
  private log = '';

  private constructor(
    private readonly binary: string,
    private readonly port: number,
    private readonly data: string,
  ) {}

  /** A collector with a port and an empty folder of its own, not started. */
  static async prepare(): Promise<Collector> {
    const binary = process.env['QUARTILE_BIN'];
    if (!binary) throw new Error('QUARTILE_BIN names no collector: run `cargo xtask test --only e2e`');
    return new Collector(binary, await freePort(), await mkdtemp(join(tmpdir(), 'quartile-e2e-')));
  }

  /** A collector that runs. */
  static async start(settings: Settings = {}): Promise<Collector> {
    const collector = await Collector.prepare();
    try {
      await collector.start(settings);
    } catch (problem) {
      await collector.remove();
      throw problem;
    }
    return collector;
  }

  get origin(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  /** Starts it and waits until it answers. */
  async start(settings: Settings = {}): Promise<void> {
    const child = spawn(this.binary, {
      env: { ...settings, QUARTILE_LISTEN: `${LOOPBACK}:${this.port}`, QUARTILE_DATA_DIR: this.data },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    const keep = (text: Buffer) => (this.log = (this.log + text.toString()).slice(-LOG_CHARS));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    await eventually(() => this.isWell(child), START_MS);
  }

  private async isWell(child: ChildProcess): Promise<void> {
    this.mustRun(child);
    const response = await fetch(`${this.origin}/healthz`);
    if (response.status !== 200) throw new Error(`/healthz answered ${response.status}`);
  }

  private mustRun(child: ChildProcess): void {
    if (!hasEnded(child)) return;
    const end = child.signalCode ?? child.exitCode;
    throw new Hopeless(`the collector ended by itself (${end}); its last words:\n${this.log}`);
  }

  /** As a power cut does: no chance to say or save anything. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As an operator does; an error unless it ends well and soon. */
  async stop(): Promise<void> {
    const child = await this.end('SIGTERM');
    if (child?.exitCode !== 0) throw new Error(`the collector did not stop well; its last words:\n${this.log}`);
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<ChildProcess | undefined> {
    const child = this.child;
    this.child = undefined;
    if (!child || hasEnded(child)) return child;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(impatience);
    return child;
  }

  /** Ends it and removes what it kept. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  /** The rows of a report. */
  async report(question: Question): Promise<Row[]> {
    if (this.child) this.mustRun(this.child);
    return ask(this.origin, question);
  }

  /** The one row of a report without dimensions. */
  async totals(metrics: string[], filters: NonNullable<Question['filters']> = []): Promise<Row> {
    const rows = await this.report({ metrics, filters });
    const [row] = rows;
    if (!row || rows.length !== 1) throw new Error(`one row was expected: ${JSON.stringify(rows)}`);
    return row;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
