// The module at work: every way to it, its one timer, and the requests that it wants to make.
import { Outcome } from './boundary.js';
import { type Core, result } from './core.js';
import type { Settings } from './options.js';
import type { Store } from './store.js';
import { type Answer, deliver } from './transport.js';

/** Does something with the module, now or once it is there. */
export type Run = (task: (core: Core) => void) => void;

/** What is around the views of a body, with what the page and the device are where that is asked for. */
export type Envelope = (context: boolean) => object;

export type Log = (...what: unknown[]) => void;

/** The monotonic clock. */
export const now = () => performance.now();

/** Some minutes of what an element does; beyond that, a module that does not come is not worth the memory. */
const MAX_WAITING = 2000;

/** Later than any moment of a page; the module says so in a number that is larger. */
const NEVER = 1e18;

/** Calls `act`; nothing that goes wrong in it leaves here, because the page must not notice. */
export function attempt(log: Log, act: () => void): void {
  try {
    act();
  } catch (error) {
    log('failed', error);
  }
}

/** To be tried again when the visitor has agreed, or in an hour at the latest. */
const HELD: Answer = [Outcome.Later, 3_600_000, 0];

/** Neither sent nor said again. */
const DROPPED: Answer = [Outcome.Acknowledged, 0, 0];

/** What waits for its core. `look` looks at all players. */
export function engine({ url, beforeSend }: Settings, log: Log, look: (core: Core) => void, store: Store) {
  let core: Core | undefined;
  let envelope: Envelope;
  /** Whether the visitor has still to agree: nothing leaves the page. */
  let held = false;
  /** What waits for the module; nothing does once it is there, or cannot be. */
  let waiting: Parameters<Run>[0][] | undefined = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer rings. */
  let due = NEVER;

  const run: Run = (task) => {
    const there = core;
    if (!there) {
      if (waiting && waiting.length < MAX_WAITING) waiting.push(task);
    } else {
      attempt(log, () => {
        task(there);
        for (let request; (request = there.next()) >= 0; ) send(result(there), request);
        arm(there.wake_at());
      });
    }
  };

  /** Sends a body: what is around the views, and the members that the module wrote. */
  const send = (members: string, request: number) => {
    void sent(members, request >> 2, (request & 2) > 0, (request & 1) > 0).then((answer) => {
      log('answer', answer);
      if (answer) run((core) => core.delivered(request >> 2, ...answer, now()));
    });
  };

  const sent = async (members: string, id: number, whole: boolean, urgent: boolean): Promise<Answer | undefined> => {
    if (held) return HELD;
    const body = seen(`${JSON.stringify(envelope(whole)).slice(0, -1)},${members}}`);
    if (!body) return DROPPED;
    if (urgent) store.keep(id, body);
    const answer = await deliver(url, body, urgent);
    if (answer && answer[0] !== Outcome.Later) store.drop(id);
    return answer;
  };

  /** The body as the site wants it; nothing if it is not to be sent, or if the site does not know what it wants. */
  const seen = (body: string) => {
    let wanted: string | undefined = body;
    if (beforeSend) {
      wanted = undefined;
      attempt(log, () => {
        const batch = beforeSend(JSON.parse(body) as Record<string, unknown>);
        if (batch) wanted = JSON.stringify(batch);
      });
    }
    log(wanted ? 'send' : 'not sent', wanted ?? body);
    return wanted;
  };

  /** Sets the timer, if it has to ring earlier than it is set to. */
  const arm = (at: number) => {
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      due = NEVER;
      run((core) => {
        look(core);
        core.timeout(now());
      });
    }, Math.ceil(at - now()));
  };

  return {
    run,
    /** Whether nothing may leave the page for now. */
    hold(on: boolean): void {
      held = on;
    },
    /** The module is there: `first` is done, and then what waits. */
    open(ready: Core, around: Envelope, first: () => void): void {
      core = ready;
      envelope = around;
      first();
      waiting?.forEach(run);
      waiting = undefined;
    },
    /** No timer rings any more, and nothing waits; `silently`, nothing is told to the module or sent either. */
    close(silently: boolean): void {
      if (silently) core = undefined;
      waiting = undefined;
      clearTimeout(timer);
      due = -1;
    },
  };
}
