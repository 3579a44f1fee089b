/** What Chromium and Firefox have in common: both are driven by Puppeteer. */

import type { Page, Browser as Puppet } from 'puppeteer-core';

import type { Browser } from './tab.ts';

const LOAD_MS = 30_000;

/** A browser of Puppeteer's; `leave` is how a page of it is left. */
export function puppet(browser: Puppet, leave: (page: Page) => Promise<void>): Browser {
  return {
    async open(url) {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error instanceof Error ? error.message : String(error)));
      await page.goto(url, { waitUntil: 'load', timeout: LOAD_MS });
      return {
        complaints,
        run: async <T>(script: string) => (await page.evaluate(script)) as T,
        leave: () => leave(page),
      };
    },
    close: () => browser.close(),
  };
}
