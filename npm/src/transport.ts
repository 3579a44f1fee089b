// One request to the collector.
import { Outcome } from './boundary.js';

/** What became of a request, how long to wait and what the collector's clock shows, in milliseconds; 0 = unknown. */
export type Answer = [outcome: Outcome, wait: number, serverTime: number];

interface Reply {
  accepted?: unknown;
  retry_after_ms?: unknown;
  server_time?: unknown;
}

/** A request that hangs is given up then, so that it does not keep a connection. */
const TIMEOUT_MS = 30_000;

/** What would be refused again. */
const REFUSED = [400, 401, 403, 413];

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
    return urgent && navigator.sendBeacon?.(url, body) ? undefined : [Outcome.Later, 0, 0];
  }
  // Read in any case: Chromium gives the quota of such requests back only then.
  const reply = (await response.json().catch(() => undefined)) as Reply | null | undefined;
  return answer(response, reply ?? {});
}

/** Only what has `accepted` comes from a collector: a proxy may answer 200, too. */
function answer({ status, headers }: Response, reply: Reply): Answer {
  const known = (value: unknown) => (typeof value === 'number' && value > 0 ? value : 0);
  const outcome =
    status === 200 && typeof reply.accepted === 'number' ? Outcome.Acknowledged
    : REFUSED.includes(status) ? Outcome.Refused
    : Outcome.Later;
  return [outcome, known(reply.retry_after_ms ?? Number(headers.get('retry-after')) * 1000), known(reply.server_time)];
}
