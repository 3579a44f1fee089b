/** What passes between a page and its collector, seen from outside: that something was said, never what. */

import type { HTTPRequest, Page } from 'puppeteer-core';

const COLLECT = '/v1/collect';

/** A page that has said nothing for so long has nothing to say: longer than its first waits after a failure. */
const SILENCE_MS = 3_000;

export class Talk {
  /** Batches that were sent, and those that were answered with success. */
  sent = 0;
  taken = 0;
  private readonly unanswered = new Set<HTTPRequest>();
  private lastWord = Date.now();

  follow(page: Page): void {
    page.on('request', (request) =>
      this.note(request, () => {
        this.sent += 1;
        this.unanswered.add(request);
      }),
    );
    page.on('requestfailed', (request) => this.note(request, () => this.unanswered.delete(request)));
    page.on('requestfinished', (request) =>
      this.note(request, () => {
        this.unanswered.delete(request);
        if (request.response()?.status() === 200) this.taken += 1;
      }),
    );
  }

  private note(request: HTTPRequest, change: () => void): void {
    if (!request.url().endsWith(COLLECT)) return;
    this.lastWord = Date.now();
    change();
  }

  /** Whether every request is answered and no other has followed for a while. */
  get isOver(): boolean {
    return this.unanswered.size === 0 && Date.now() - this.lastWord >= SILENCE_MS;
  }
}
