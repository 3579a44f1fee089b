// One request to the collector.

/** What became of a request: the HTTP status (0: none), whether the reply had `accepted`, and how long to wait. */
export type Answer = [status: number, accepted: boolean, waitMs: number];

/** A request that hangs is given up then, so that it does not keep a connection. */
const TIMEOUT_MS = 30_000;

/** Sends a body. Gives nothing when nothing can be known of it; never rejects. */
export async function deliver(url: string, body: string, urgent: boolean): Promise<Answer | undefined> {
  let response: Response;
  try {
    // A text is sent as `text/plain`, which needs no preflight.
    response = await fetch(url, {
      method: 'POST',
      body,
      credentials: 'omit',
      keepalive: urgent,
      priority: 'low',
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
  } catch {
    // Browsers refuse a request that is to outlive the page when too much of that kind is under way.
    return urgent && beacon(url, body) ? undefined : [0, false, NaN];
  }
  let reply: { accepted?: unknown; retry_after_ms?: unknown } | undefined;
  try {
    // Read in any case: Chromium gives the quota of such requests back only then.
    reply = await response.json();
  } catch {
    reply = undefined;
  }
  const asked = reply?.retry_after_ms ?? Number(response.headers.get('retry-after')) * 1000;
  return [response.status, typeof reply?.accepted === 'number', Number(asked)];
}

function beacon(url: string, body: string): boolean {
  try {
    return navigator.sendBeacon(url, body);
  } catch {
    return false;
  }
}
