/** What most specs need: a browser, pages and a collector of their own, and an end to all of them. */

import { after, before } from 'node:test';

import type { Browser, Page } from 'puppeteer-core';

import { type Audience, Visit, openBrowser } from './browser.ts';
import { Collector, type Settings } from './collector.ts';
import { Pages } from './pages.ts';
import { type Core, type VideoTag, modulePage, scriptTagPage, trackAll } from './templates.ts';

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
  visit(collector: string, videos: VideoTag[], search = '', core: Core = 'wasm'): Promise<Visit> {
    return this.open('watch', scriptTagPage(collector, videos, core), search);
  }

  /** Opens a page that tracks its videos with the npm package, which is there even when the collector is not. */
  visitBundled(collector: string, videos: VideoTag[]): Promise<Visit> {
    return this.visitModule(trackAll(collector), videos);
  }

  /** Opens a page that imports `init` from the npm package and does what `code` says. */
  async visitModule(code: string, videos: VideoTag[]): Promise<Visit> {
    return this.open('module', await modulePage(code, videos));
  }

  /** Opens an address in a tab of its own; `prepare` is done before it loads. */
  visitAddress(address: string, prepare?: (page: Page) => Promise<void>): Promise<Visit> {
    if (!this.browser) throw new Error('the stage is not set: open pages within a test');
    return Visit.open(this.browser, address, prepare);
  }

  /** What serves pages. */
  get site(): Pages {
    if (!this.pages) throw new Error('the stage is not set: add pages within a test');
    return this.pages;
  }

  private open(name: string, html: string, search = ''): Promise<Visit> {
    return this.visitAddress(this.site.add(name, html) + search);
  }
}
