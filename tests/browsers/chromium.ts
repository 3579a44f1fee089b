/** Chromium, by its own protocol. */

import { existsSync } from 'node:fs';

import { openBrowser } from '../harness/browser.ts';
import { puppet } from './puppet.ts';
import type { Driver } from './tab.ts';

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export const chromium: Driver = {
  missing: () => (existsSync(PROGRAM) ? undefined : 'chromium is not installed'),
  start: async () => puppet(await openBrowser('viewer'), (page) => page.close({ runBeforeUnload: false })),
};
