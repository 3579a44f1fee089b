/** What most specs need: a browser, pages and a collector of their own, and an end to all of them. */

import { after, before } from 'node:test';

import type { Browser } from 'puppeteer-core';

import { type Audience, Visit, openBrowser } from './browser.ts';
import { Collector, type Settings } from './collector.ts';
import { Pages } from './pages.ts';
import { type VideoTag, modulePage, scriptTagPage, trackAll } from './templates.ts';

export class Stage {
  private browser: Browser | undefined;
  private pages: Pages | undefined;
  private readonly collectors: Collector[] = [];

  /** Opens the browser before the tests of a file, and ends everything after them. */
  constructor(audience: Audience = 'viewer') {
    before(async () => {
      [this.browser, this.pages] = await Promise.all([openBrowser(audience), Pages.start()]);
    });
    after(() => this.end());
  }

  private async end(): Promise<void> {
    await this.browser?.close();
    await this.pages?.stop();
    await Promise.all(this.collectors.map((collector) => collector.remove()));
  }

  /** A collector with no data, running. */
  async collector(settings: Settings = {}): Promise<Collector> {
    const collector = await this.absentCollector();
    await collector.start(settings);
    return collector;
  }

  /** A collector that nobody has started yet. */
  async absentCollector(): Promise<Collector> {
    const collector = await Collector.prepare();
    this.collectors.push(collector);
    return collector;
  }

  /** Opens a page with the script tag; `search` is what `in-page.js` reads from its address. */
  visit(collector: string, videos: VideoTag[], search = ''): Promise<Visit> {
    return this.open('watch', scriptTagPage(collector, videos), search);
  }

  /** Opens a page that tracks its videos with the npm package, which is there even when the collector is not. */
  visitBundled(collector: string, videos: VideoTag[]): Promise<Visit> {
    return this.visitModule(trackAll(collector), videos);
  }

  /** Opens a page that imports `init` from the npm package and does what `code` says. */
  async visitModule(code: string, videos: VideoTag[]): Promise<Visit> {
    return this.open('module', await modulePage(code, videos));
  }

  private open(name: string, html: string, search = ''): Promise<Visit> {
    if (!this.browser || !this.pages) throw new Error('the stage is not set: open pages within a test');
    return Visit.open(this.browser, this.pages.add(name, html) + search);
  }
}
