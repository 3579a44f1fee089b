/** Firefox ESR, by WebDriver BiDi. */

import { existsSync } from 'node:fs';

import puppeteer, { type Page } from 'puppeteer-core';

import { puppet } from './puppet.ts';
import type { Driver } from './tab.ts';

const PROGRAM = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr';

/** Playing needs no click. */
const PREFERENCES = { 'media.autoplay.default': 0 };

/** A tab that its driver closes gets no last word, unlike one that a viewer closes: it goes elsewhere first. */
async function leave(page: Page): Promise<void> {
  await page.goto('about:blank');
  await page.close();
}

export const firefox: Driver = {
  missing: () => (existsSync(PROGRAM) ? undefined : 'firefox-esr is not installed'),
  async start() {
    const options = { browser: 'firefox', executablePath: PROGRAM, headless: true } as const;
    return puppet(await puppeteer.launch({ ...options, extraPrefsFirefox: PREFERENCES }), leave);
  },
};
