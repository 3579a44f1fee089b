/** A short viewing, for specs that are about where a page is or what surrounds it. */

import type { Visit } from './browser.ts';
import type { Collector } from './collector.ts';
import { settles } from './eventually.ts';
import { assertMetrics, assertPlayed } from './expect.ts';

/** Plays a video for two seconds, closes the tab, and waits for exactly that viewing in the report. */
export async function watchBriefly(visit: Visit, collector: Collector, id: string): Promise<void> {
  await visit.play(id);
  await visit.untilPosition(id, 2);
  const truth = await visit.truth(id);
  await visit.close();
  await settles(async () => {
    const row = await collector.totals(['views', 'plays', 'stops', 'minutes_viewed']);
    assertMetrics(row, { views: 1, plays: 1, stops: 1 });
    assertPlayed(row, truth.playedMs, 700);
  });
}
