// The page: what is tracked on it, and what happens to it as a whole.
import { PageSignal, Text } from './boundary.js';
import { client, isPrivate, page } from './context.js';
import { type Core, load, put, wasm } from './core.js';
import { isMedia } from './element.js';
import { attempt, engine, now } from './engine.js';
import type { Settings } from './options.js';
import { type Tracked, listen } from './player.js';
import type { Quartile, View } from './types.js';

/** Once more than one turn of the event loop: frameworks take elements away and put them back within one. */
const PARTING_MS = 50;

/** Room for what the browser tells of the device later on. */
const LATE_BYTES = 300;

/** What is asked of the window. `unload` and `beforeunload` would keep the page out of the back/forward cache. */
const WINDOW_EVENTS = ['pagehide', 'pageshow', 'online'];

const DOCUMENT_EVENTS = ['visibilitychange', 'fullscreenchange', 'freeze', 'resume'];

/** What those mean that always mean the same. */
const SIGNALS: Record<string, PageSignal> = {
  pagehide: PageSignal.Left,
  pageshow: PageSignal.Restored,
  online: PageSignal.Online,
  freeze: PageSignal.Frozen,
  resume: PageSignal.Resumed,
};

/** A view of nothing. */
export const NOTHING: View = { source() {}, stop() {} };

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

/** A core that knows whose page it is and when it was opened. */
function begin({ site, user, viewer }: Settings, context: object, mono: number, wall: number): Core {
  const unknown = isPrivate();
  put(Text.Site, site);
  put(Text.Sdk, SDK);
  if (!unknown) {
    put(Text.Viewer, viewer ?? '');
    put(Text.User, user ?? '');
  }
  const { length } = new TextEncoder().encode(JSON.stringify(context));
  const seed = crypto.getRandomValues(new Uint32Array(4)) as unknown as [number, number, number, number];
  return wasm.core_start(unknown ? 0 : 1, length + LATE_BYTES, ...seed, mono, wall) as Core;
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
      wasm.core_page(core, signal, now());
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
    WINDOW_EVENTS.forEach((type) => window[method](type, handle));
    DOCUMENT_EVENTS.forEach((type) => document[method](type, handle));
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

  const start = () => {
    if (over) return;
    const context = { page: page(settings.application), client: client() };
    open(begin(settings, context, mono, wall), context, signalVisibility);
    listeners('addEventListener');
  };
  load()
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
