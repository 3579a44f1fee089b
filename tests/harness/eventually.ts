/** Waiting for what becomes true in its own time, never longer than said. */

import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 150;

/** A complaint that no waiting cures. */
export class Hopeless extends Error {}

/** Until `check` passes; its last complaint when it has not after `within` milliseconds. */
export async function eventually<T>(check: () => T | Promise<T>, within = 15_000): Promise<T> {
  const end = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (complaint) {
      if (complaint instanceof Hopeless || Date.now() >= end) throw complaint;
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

/**
 * Like `eventually`, and then `check` must keep passing for `holds` milliseconds: what is counted twice shows itself a
 * moment after what is counted once. A report may be two seconds behind.
 */
export async function settles(check: () => void | Promise<void>, within = 15_000, holds = 2_500): Promise<void> {
  await eventually(check, within);
  const end = Date.now() + holds;
  while (Date.now() < end) {
    await sleep(LOOK_AGAIN_MS);
    await check();
  }
}
