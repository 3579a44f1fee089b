/** A real browser, and the visit of a page in it: what the viewer does, and everything that the page complains of. */

import assert from 'node:assert/strict';

import puppeteer, { type Browser, type ConsoleMessage, type Page } from 'puppeteer-core';

import { eventually } from './eventually.ts';
import { Talk } from './talk.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** A browser without a window says so, and is then counted as the robot that it mostly is; a viewer's says this. */
const VIEWERS_AGENT =
  '--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Whatever Chromium itself writes about a request that failed. */
const NETWORK_NOTE = /^Failed to load resource: /;

/** What a page's own measurement says of a video. */
export interface Truth {
  playedMs: number;
  position: number;
  ended: boolean;
  paused: boolean;
}

/** Who is in front of the browser: somebody, or a program that says so. */
export type Audience = 'viewer' | 'robot';

export function openBrowser(audience: Audience): Promise<Browser> {
  const args = audience === 'viewer' ? [...FLAGS, VIEWERS_AGENT] : FLAGS;
  return puppeteer.launch({ executablePath: CHROMIUM, headless: true, args });
}

export class Visit {
  /** Errors that nobody caught, rejections that nobody handled, and every word on the console. */
  readonly complaints: string[] = [];
  /** What Chromium wrote about requests that failed. */
  readonly networkNotes: string[] = [];
  private readonly talk = new Talk();

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => {
      this.complaints.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`);
    });
    page.on('console', (message) => this.hear(message));
    this.talk.follow(page);
  }

  /** Opens a page in a tab of its own, in front. */
  static async open(browser: Browser, url: string, prepare?: (page: Page) => Promise<void>): Promise<Visit> {
    const visit = new Visit(await browser.newPage());
    await prepare?.(visit.page);
    await visit.page.goto(url, { waitUntil: 'load', timeout: 30_000 });
    return visit;
  }

  private hear(message: ConsoleMessage): void {
    const text = message.text();
    const heard = NETWORK_NOTE.test(text) ? this.networkNotes : this.complaints;
    heard.push(`${message.type()}: ${text}`);
  }

  /** Runs a script in the page. */
  async run<T>(script: string): Promise<T> {
    return (await this.page.evaluate(script)) as T;
  }

  /** Waits until a condition, as a script, holds in the page. */
  async until(condition: string, within = 30_000): Promise<void> {
    await this.page.waitForFunction(condition, { timeout: within, polling: 50 });
  }

  /** Has the browser throw away whatever nothing refers to. */
  async collectGarbage(): Promise<void> {
    const session = await this.page.createCDPSession();
    await session.send('HeapProfiler.collectGarbage');
    await session.detach();
  }

  async play(id: string): Promise<void> {
    await this.run(`viewer.play('${id}')`);
  }

  async pause(id: string): Promise<void> {
    await this.run(`viewer.video('${id}').pause()`);
  }

  async seek(id: string, seconds: number): Promise<void> {
    await this.run(`viewer.video('${id}').currentTime = ${seconds}`);
  }

  async untilPosition(id: string, seconds: number): Promise<void> {
    await this.until(`viewer.video('${id}').currentTime >= ${seconds}`);
  }

  async untilEnded(id: string): Promise<void> {
    await this.until(`viewer.video('${id}').ended`);
  }

  truth(id: string): Promise<Truth> {
    return this.run(`viewer.truth('${id}')`);
  }

  /** Batches that the page has sent so far. */
  get batches(): number {
    return this.talk.sent;
  }

  /** Until the collector has taken a batch from this page. */
  async untilHeard(): Promise<void> {
    await eventually(() => assert.ok(this.talk.taken > 0, 'the collector took no batch'), 30_000);
  }

  /** Until the page has nothing more to tell the collector. */
  async untilQuiet(): Promise<void> {
    await eventually(() => assert.ok(this.talk.isOver, 'the page goes on talking to the collector'), 30_000);
  }

  /** Closes the tab as a viewer does; the page may say goodbye, but is not asked. */
  async close(): Promise<void> {
    await this.page.close({ runBeforeUnload: false });
  }
}
