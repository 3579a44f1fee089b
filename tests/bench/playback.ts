/** One playback in a browser of its own, measured. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { CDPSession } from 'puppeteer-core';

import { openBrowser } from '../harness/browser.ts';

/** What a playback cost its page, before what it would have cost without analytics is taken off. */
export interface Cost {
  /** Processor time of the page's main thread, in milliseconds. */
  mainThreadMs: number;
  /** Of that, what scripts took. */
  scriptMs: number;
  /** What scripts allocated, by samples, in bytes; only where they were taken. */
  allocated: number;
}

interface Sample {
  selfSize: number;
  children: Sample[];
}

const total = ({ selfSize, children }: Sample): number => children.reduce((sum, child) => sum + total(child), selfSize);

/** Time is the thread's own: what other processes do meanwhile does not count. */
async function spent(session: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await session.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1000]));
}

/** Plays the video of a page for so long, from its loading to its closing. Samples of allocations are taken if wanted. */
export async function play(address: string, seconds: number, samples: boolean): Promise<Cost> {
  const browser = await openBrowser('viewer');
  try {
    const page = await browser.newPage();
    const session = await page.createCDPSession();
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    if (samples) {
      await session.send('HeapProfiler.startSampling', {
        samplingInterval: 1024,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
    }
    await page.goto(address, { waitUntil: 'load' });
    await page.evaluate("document.querySelector('video').play()");
    await sleep(seconds * 1000);
    const profile = samples ? await session.send('HeapProfiler.stopSampling') : undefined;
    const { TaskDuration = NaN, ScriptDuration = NaN } = await spent(session);
    // Says goodbye, so that what is sent then counts, too.
    await page.goto('about:blank');
    await sleep(300);
    return {
      mainThreadMs: TaskDuration,
      scriptMs: ScriptDuration,
      allocated: profile ? total(profile.profile.head as Sample) : NaN,
    };
  } finally {
    await browser.close();
  }
}
