// A visit, from the visitor's agreement to its end: an instance of the module, and what happens to the page as a whole.
import { Outcome, PageSignal } from './boundary.js';
import { client, isPrivate, page } from './context.js';
import { type Core, put } from './core.js';
import { type Envelope, type Log, engine, now } from './engine.js';
import { ID_BYTES, cut } from './limits.js';
import type { Settings } from './options.js';
import type { Tracked } from './player.js';
import { type Store, store } from './store.js';
import { deliver } from './transport.js';

/** Room for who the visitor is, and for what the browser tells of the device later on. */
const LATE_BYTES = 800;

/**
 * What is asked of the window and the document, and what it means if that is always the same. `unload` and
 * `beforeunload` would keep the page out of the back/forward cache.
 */
const SIGNALS: Record<string, PageSignal | undefined> = {
  pagehide: PageSignal.Left,
  pageshow: PageSignal.Restored,
  online: PageSignal.Online,
  freeze: PageSignal.Frozen,
  resume: PageSignal.Resumed,
  visibilitychange: undefined,
  fullscreenchange: undefined,
};

export type Visit = ReturnType<typeof visit>;

/** What is around the views of a body, of a page that was opened when the clocks showed `mono` and `wall`. */
function around({ site, viewer, application }: Settings, { session, viewer: stored }: Store, mono: number, wall: number) {
  const context = { page: page(application), client: client() };
  const who = () => (isPrivate() ? {} : { session: session(), viewer: viewer ?? stored() });
  const envelope: Envelope = (whole) => ({
    v: 1,
    site,
    sdk: SDK,
    // A wall clock that is set meanwhile moves no date.
    sent_at: Math.floor(wall + now() - mono),
    ...(whole && { ...who(), ...context }),
  });
  return { envelope, bytes: new TextEncoder().encode(JSON.stringify(context)).length + LATE_BYTES };
}

/** Sends what the page before could not, and keeps what cannot be sent now either. The clock of now stands for its dates. */
function resend(url: string, { left, keep }: Store): void {
  left().forEach(async (body, index) => {
    const answer = await deliver(url, body.replace(/"sent_at":\d+/, `"sent_at":${Date.now()}`), false);
    if (answer?.[0] === Outcome.Later) keep(-1 - index, body);
  });
}

/** Begins one; `failed` is called when the module cannot be. */
export function visit(
  settings: Settings,
  log: Log,
  each: (act: (tracked: Tracked) => void) => void,
  failed: () => void,
  pending: boolean,
) {
  const [mono, wall] = [now(), Date.now()];
  const kept = store(isPrivate() ? 'none' : settings.identity, settings.url);
  const look = (core: Core) => each((tracked) => tracked.look(core));
  const { run, open, close, hold } = engine(settings, log, look, kept);
  let over = false;

  const signal = (signal: PageSignal) =>
    run((core) => {
      look(core);
      core.page(signal, now());
      // What came back is not watched before somebody looks.
      if (signal === PageSignal.Restored) look(core);
    });
  const signalVisibility = () => {
    signal(document.hidden ? PageSignal.Hidden : PageSignal.Visible);
    each((tracked) => tracked.again());
  };

  const handle = (event: Event) => {
    const meaning = SIGNALS[event.type];
    if (event.type === 'fullscreenchange') run((core) => each((tracked) => tracked.fullscreen(core)));
    else if (meaning === undefined) signalVisibility();
    else if (meaning !== PageSignal.Restored || (event as PageTransitionEvent).persisted) signal(meaning);
  };
  const listeners = (method: 'addEventListener' | 'removeEventListener') => {
    for (const type in SIGNALS) (/^page|online/.test(type) ? window : document)[method](type, handle);
  };

  const putUser = (core: Core) => put(core, isPrivate() ? '' : cut(settings.user, ID_BYTES));
  const start = (core: Core) => {
    if (over) return;
    const { envelope, bytes } = around(settings, kept, mono, wall);
    const seed = crypto.getRandomValues(new Uint32Array(4)) as unknown as [number, number, number, number];
    core.start(putUser(core), bytes, ...seed, mono, wall);
    open(core, envelope, signalVisibility);
    listeners('addEventListener');
  };
  const agree = (waits: boolean) => {
    hold(waits);
    if (waits) return;
    resend(settings.url, kept);
    signal(PageSignal.Online);
  };

  hold(pending);
  if (!pending) resend(settings.url, kept);
  settings
    .load()
    .then(start)
    .catch((error) => {
      log('error', error);
      if (!over) failed();
    });

  return {
    run,
    close,
    /** Whether the visitor has still to agree. */
    hold: agree,
    /** The user is another one. */
    user: () => run((core) => core.user(putUser(core), now())),
    /** It is over: what is left is sent, or all is forgotten. */
    end(silently: boolean): void {
      over = true;
      listeners('removeEventListener');
      close(silently);
      if (silently) kept.forget();
      // An ordinary request would be lost with the page, of whose end nobody tells any more.
      else signal(PageSignal.Hidden);
    },
  };
}
