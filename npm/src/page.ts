// The page: what is tracked on it, and what happens to it as a whole.
import { PageSignal } from './boundary.js';
import { client, isPrivate, page, randomId } from './context.js';
import { type Core, instantiate, put } from './core.js';
import { isMedia } from './element.js';
import { type Envelope, attempt, engine, now } from './engine.js';
import type { Settings } from './options.js';
import { type Tracked, listen } from './player.js';
import type { Quartile, View } from './types.js';

/** Once more than one turn of the event loop: frameworks take elements away and put them back within one. */
const PARTING_MS = 50;

/** Room for what the browser tells of the device later on. */
const LATE_BYTES = 300;

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

/** A view of nothing. */
export const NOTHING: View = { tell() {}, source() {}, stop() {} };

interface Entry extends View {
  tracked: Tracked;
  /** Takes back a `stop` that has not been carried out. */
  keep(): void;
}

/** One tracked element for the site; `gone` is called when it is let go of. */
function entry(tracked: Tracked, gone: () => void): Entry {
  let parting: ReturnType<typeof setTimeout> | undefined;
  return {
    tracked,
    tell: (facts) => tracked.tell(facts),
    source: (video) => tracked.say({ video }),
    stop() {
      parting ??= setTimeout(() => {
        gone();
        tracked.end();
      }, PARTING_MS);
    },
    keep() {
      clearTimeout(parting);
      parting = undefined;
    },
  };
}

/** What is around the views of a body, of a page that was opened when the clocks showed `mono` and `wall`. */
function around({ site, viewer, application }: Settings, mono: number, wall: number): Envelope {
  const who = isPrivate() ? {} : { session: randomId(), viewer };
  const context = { ...who, page: page(application), client: client() };
  return (whole) => ({
    v: 1,
    site,
    sdk: SDK,
    // A wall clock that is set meanwhile moves no date.
    sent_at: Math.floor(wall + now() - mono),
    ...(whole && context),
  });
}

/** Tells the core what it has to know of a page. */
function begin(core: Core, { user }: Settings, envelope: Envelope, mono: number, wall: number): void {
  const bytes = new TextEncoder().encode(JSON.stringify(envelope(true))).length + LATE_BYTES;
  const seed = crypto.getRandomValues(new Uint32Array(4)) as unknown as [number, number, number, number];
  core.start(put(core, isPrivate() ? '' : user), bytes, ...seed, mono, wall);
}

/** Tracks a page for one site; `ended` is called when that ends. */
export function track(settings: Settings, ended: () => void): Quartile {
  const log = (...what: unknown[]) => settings.debug && console.debug('quartile', ...what);
  const [mono, wall] = [now(), Date.now()];
  const entries = new Map<HTMLMediaElement, Entry>();
  let over = false;

  const each = (act: (tracked: Tracked) => void) =>
    entries.forEach(({ tracked }) => attempt(log, () => act(tracked)));
  const look = (core: Core) => each((tracked) => tracked.look(core));
  const { run, open, close } = engine(settings.url, log, look);

  const signal = (signal: PageSignal) =>
    run((core) => {
      look(core);
      core.page(signal, now());
      // What came back is not watched before somebody looks.
      if (signal === PageSignal.Restored) look(core);
    });
  const signalVisibility = () => signal(document.hidden ? PageSignal.Hidden : PageSignal.Visible);

  const handle = (event: Event) => {
    const meaning = SIGNALS[event.type];
    if (event.type === 'fullscreenchange') run((core) => each((tracked) => tracked.fullscreen(core)));
    else if (meaning === undefined) signalVisibility();
    else if (meaning !== PageSignal.Restored || (event as PageTransitionEvent).persisted) signal(meaning);
  };
  const listeners = (method: 'addEventListener' | 'removeEventListener') => {
    for (const type in SIGNALS) (/^page|online/.test(type) ? window : document)[method](type, handle);
  };

  const destroy = () => {
    if (over) return;
    over = true;
    close();
    listeners('removeEventListener');
    each((tracked) => tracked.end());
    entries.clear();
    // An ordinary request would be lost with the page, of whose end nobody tells any more.
    signal(PageSignal.Hidden);
    ended();
  };

  const start = (core: Core) => {
    if (over) return;
    const envelope = around(settings, mono, wall);
    begin(core, settings, envelope, mono, wall);
    open(core, envelope, signalVisibility);
    listeners('addEventListener');
  };
  instantiate()
    .then(start)
    .catch((error) => {
      log('failed', error);
      destroy();
    });

  return {
    track(element, meta) {
      if (over || !isMedia(element)) {
        log('not tracked', element);
        return NOTHING;
      }
      const known = entries.get(element);
      if (known) {
        known.keep();
        known.tracked.say(meta ?? {});
        return known;
      }
      const made = entry(listen(element, meta ?? {}, run), () => entries.delete(element));
      entries.set(element, made);
      return made;
    },
    destroy,
  };
}
