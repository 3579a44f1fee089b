/** WebKitGTK's MiniBrowser, by WebDriver, on a screen that nobody sees. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver';

import { LOOPBACK, freePort } from '../harness/ports.ts';
import type { Browser, Driver, Tab } from './tab.ts';

const BROWSER = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;
const NEEDED = ['/usr/bin/WebKitWebDriver', '/usr/bin/xvfb-run', BROWSER];

const START_MS = 20_000;

/** As root its sandbox cannot be made. */
const ENVIRONMENT = process.getuid?.() === 0 ? { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' } : {};

export const webkit: Driver = {
  missing() {
    const absent = NEEDED.find((file) => !existsSync(file));
    return absent && `${absent} is not there (webkit2gtk-driver, xvfb)`;
  },
  async start() {
    const port = await freePort();
    const args = ['--auto-servernum', '/usr/bin/WebKitWebDriver', `--port=${port}`];
    // A group of its own: the screen ends with it.
    const child = spawn('/usr/bin/xvfb-run', args, {
      env: { ...process.env, ...ENVIRONMENT },
      stdio: 'ignore',
      detached: true,
    });
    const end = () => child.pid !== undefined && child.exitCode === null && process.kill(-child.pid);
    process.once('exit', end);
    await listening(port);
    return {
      open: async (url) => openTab(await session(port), url),
      async close() {
        process.off('exit', end);
        end();
      },
    } satisfies Browser;
  },
};

async function listening(port: number): Promise<void> {
  for (const end = Date.now() + START_MS; ; await sleep(100)) {
    const answer = await fetch(`http://${LOOPBACK}:${port}/status`).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > end) throw new Error('WebKitWebDriver does not answer');
  }
}

/** Each page has a browser of its own: a second window of one is hidden. */
async function session(port: number): Promise<WebDriver> {
  const capabilities = new Capabilities({
    browserName: 'MiniBrowser',
    'webkitgtk:browserOptions': { binary: BROWSER, args: ['--automation', '--autoplay-policy=allow'] },
  });
  return new Builder().usingServer(`http://${LOOPBACK}:${port}`).withCapabilities(capabilities).build();
}

async function openTab(driver: WebDriver, url: string): Promise<Tab> {
  await driver.manage().setTimeouts({ script: 30_000, pageLoad: 30_000 });
  await driver.get(url);
  return {
    complaints: [],
    run: async <T>(script: string) => {
      // Values, and what promises give.
      const body = `const done = arguments[arguments.length - 1];
        Promise.resolve(eval(${JSON.stringify(script)})).then(done, (error) => done({ thrown: String(error) }));`;
      const given = await driver.executeAsyncScript<T & { thrown?: string }>(body);
      if (given && typeof given === 'object' && given.thrown) throw new Error(given.thrown);
      return given;
    },
    async leave() {
      await driver.get('about:blank');
      await driver.quit();
    },
  };
}
