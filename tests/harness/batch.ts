/** Batches that no browser made: what anybody can send with curl. */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const FIXTURE = new URL('../fixtures/batch.json', import.meta.url);

/** A slice, or an event of the slice `n`. */
interface Item {
  n: number;
  at: number;
}

/** What of a batch is changed here. */
interface Batch {
  sent_at: number;
  viewer: string;
  views: { id: string; slices: Item[]; events: Item[] }[];
}

/** What `fixtures/batch.json` adds to a report, whenever it is sent and however often. */
export const FIXTURE_METRICS = {
  views: 1,
  impressions: 1,
  plays: 1,
  pauses: 1,
  stops: 1,
  unique_viewers: 1,
  sessions: 1,
  minutes_viewed: 0.75,
  avg_percent_watched: 0.6,
  reached_25: 1,
  reached_50: 1,
  reached_75: 0,
  reached_100: 0,
};

/** The items of `fixtures/batch.json`: slices and events. */
export const FIXTURE_ITEMS = 6;

/** The fixture as it is in the file, from a clock that is long past. */
export function batchOfThePast(): Promise<string> {
  return readFile(FIXTURE, 'utf8');
}

/** The fixture as another viewer's view that ends now. */
export async function freshBatch(): Promise<string> {
  const batch = JSON.parse(await batchOfThePast()) as Batch;
  const later = Date.now() - batch.sent_at;
  batch.sent_at += later;
  batch.viewer = `viewer-${randomBytes(4).toString('hex')}`;
  for (const view of batch.views) {
    for (const item of [...view.slices, ...view.events]) item.at += later;
    view.id = viewId(view.slices[0]?.at ?? batch.sent_at);
  }
  return JSON.stringify(batch);
}

/** A batch as one batch for each of its slices, the last slice first. */
export function inPieces(text: string): string[] {
  const batch = JSON.parse(text) as Batch;
  const numbers = new Set(batch.views.flatMap((view) => view.slices.map((slice) => slice.n)));
  const pieceOf = (n: number) => {
    const only = (items: Item[]) => items.filter((item) => item.n === n);
    const views = batch.views.map((view) => ({ ...view, slices: only(view.slices), events: only(view.events) }));
    return JSON.stringify({ ...batch, views });
  };
  return [...numbers].sort((a, b) => b - a).map(pieceOf);
}

/** A UUID of version 7: 48 bits of time, the rest random. */
function viewId(at: number): string {
  const digits = at.toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  const [time, a, b, c] = [digits.slice(0, 12), digits.slice(13, 16), digits.slice(17, 20), digits.slice(20)];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-8${b}-${c}`;
}

/** Sends a batch and returns how many items the collector says it has on disk. */
export async function post(collector: string, batch: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${collector}/v1/collect`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body: batch,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the batch was answered with ${response.status}: ${text}`);
  return (JSON.parse(text) as { accepted: number }).accepted;
}
