// Watches the example's clip once in headless Chromium, as a viewer would: open the page, play to the end at the
// normal speed, close the page.
//
// `node watch-once.mjs PAGE CLIP`; ends with 0 when the clip was watched. CHROMIUM names another browser.
import { setTimeout as sleep } from 'node:timers/promises';

import puppeteer from 'puppeteer-core';

const [page, clip] = process.argv.slice(2);
if (!page || !clip) {
  console.error('usage: node watch-once.mjs PAGE CLIP');
  process.exit(2);
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
    // A browser without a window says so, and reports leave it out as a robot; this one stands for a viewer's.
    '--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  ],
});
try {
  await watch();
} catch (error) {
  console.error(`${page} could not be watched: ${error.message ?? error}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

/** Plays the page's first video to its end and closes the page. */
async function watch() {
  const tab = await browser.newPage();
  tab.on('pageerror', (error) => console.error(`the page: ${error.message}`));
  tab.on('console', (message) => {
    const { url } = message.location();
    const harmless = url?.endsWith('/favicon.ico');
    if (message.type() === 'error' && !harmless) console.error(`the page: ${message.text()} (${url ?? 'no address'})`);
  });
  tab.on('requestfailed', (request) => {
    // A video element gives up one request for its file to begin another further on.
    const harmless = request.resourceType() === 'media';
    if (!harmless) console.error(`the page: ${request.url()}: ${request.failure()?.errorText}`);
  });
  await tab.goto(page, { waitUntil: 'load', timeout: 30_000 });
  await tab.waitForSelector('video', { timeout: 10_000 });
  const watched = await tab.evaluate(playToTheEnd, 40_000);
  console.log(`watched ${watched.source}: ${watched.position} of ${watched.duration} s`);
  if (!watched.source.includes(clip)) throw new Error(`its first video is not ${clip} but ${watched.source}`);
  // What happens at the end of a video is sent at once or when the page goes; closing lets the page say goodbye, and
  // the browser then needs a moment to send it.
  await tab.close();
  await sleep(1500);
}

/** Runs in the page. */
async function playToTheEnd(limit) {
  const video = document.querySelector('video');
  const ended = new Promise((resolve, reject) => {
    video.addEventListener('ended', resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error?.message ?? 'the video failed')), { once: true });
    setTimeout(() => reject(new Error(`not ended after ${limit} ms, at ${video.currentTime} s`)), limit);
  });
  await video.play();
  await ended;
  return { source: video.currentSrc, position: video.currentTime, duration: video.duration };
}
