// The module at work: every way to it, its one timer, and the requests that it wants to make.
import { type Core, result } from './core.js';
import { deliver } from './transport.js';

/** Does something with the module, now or once it is there. */
export type Run = (task: (core: Core) => void) => void;

/** What is around the views of a body, with what the page and the device are where that is asked for. */
export type Envelope = (context: boolean) => object;

export type Log = (...what: unknown[]) => void;

/** The monotonic clock. */
export const now = () => performance.now();

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

/** What waits for its core. `look` looks at all players. */
export function engine(url: string, log: Log, look: (core: Core) => void) {
  let core: Core | undefined;
  let envelope: Envelope;
  /** What waits for the module; nothing does once it is there, or cannot be. */
  let waiting: Parameters<Run>[0][] | undefined = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer rings. */
  let due = NEVER;

  const run: Run = (task) => {
    const there = core;
    if (!there) waiting?.push(task);
    else {
      attempt(log, () => {
        task(there);
        for (let request; (request = there.next()) >= 0; ) send(result(there), request);
        arm(there.wake_at());
      });
    }
  };

  /** Sends a body: what is around the views, and the members that the module wrote. */
  const send = (members: string, request: number) => {
    const body = `${JSON.stringify(envelope((request & 2) > 0)).slice(0, -1)},${members}}`;
    log('send', body);
    void deliver(url, body, (request & 1) > 0).then((answer) => {
      log('answer', answer);
      if (answer) run((core) => core.delivered(request >> 2, ...answer, now()));
    });
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
    /** The module is there: `first` is done, and then what waits. */
    open(ready: Core, around: Envelope, first: () => void): void {
      core = ready;
      envelope = around;
      first();
      waiting?.forEach(run);
      waiting = undefined;
    },
    /** No timer rings any more, and nothing waits. */
    close(): void {
      waiting = undefined;
      clearTimeout(timer);
      due = -1;
    },
  };
}
