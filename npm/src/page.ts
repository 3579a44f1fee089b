// The page: what is tracked on it, and whether the visitor agrees.
import { isMedia } from './element.js';
import { type Log, attempt } from './engine.js';
import type { Settings } from './options.js';
import { type Tracked, listen } from './player.js';
import { isOut, setOut, store } from './store.js';
import type { Consent, Facts, Meta, Quartile, Snapshot, Video, View } from './types.js';
import { type Visit, visit } from './visit.js';

/** Once more than one turn of the event loop: frameworks take elements away and put them back within one. */
const PARTING_MS = 50;

/** A view of nothing. */
export const NOTHING: View = {
  tell() {},
  source() {},
  set() {},
  interact() {},
  snapshot: () => ({}),
  stop() {},
};

/** A page of nothing. */
export const NOWHERE: Quartile = { track: () => NOTHING, consent() {}, user() {}, optOut: (out = true) => setOut(out), destroy() {} };

/** One element that is tracked as long as the visitor agrees. */
interface Entry extends View {
  tracked?: Tracked;
  /** The visitor agreed: it is listened to. */
  begin(visit: Visit): void;
  /** More is said of it; of its video, too, unless that is another `video`. */
  say(more: Meta, video?: Video): void;
  /** Takes back a `stop` that has not been carried out. */
  keep(): void;
}

function entry(element: HTMLMediaElement, said: Meta, gone: () => void): Entry {
  let parting: ReturnType<typeof setTimeout> | undefined;
  /** What holds until something else is told. */
  let lasting: Facts = {};
  const it: Entry = {
    begin({ run }) {
      it.tracked = listen(element, said, run);
      it.tracked.tell(lasting);
    },
    say(more, video = { ...said.video, ...more.video }) {
      said = { ...said, ...more, video };
      it.tracked?.say(said);
    },
    tell(facts) {
      if (facts.player) it.say({ player: { ...said.player, ...facts.player } });
      const { source, live, rendition } = { ...lasting, ...facts };
      lasting = { source, live, rendition };
      it.tracked?.tell(facts);
    },
    source: (video) => it.say({}, video),
    set: (dims) => it.say({ dims: { ...said.dims, ...dims } }),
    interact: (feature, name, value) => it.tracked?.interact(feature, name, value),
    snapshot: () => (it.tracked?.snapshot() ?? {}) as Snapshot,
    stop() {
      parting ??= setTimeout(() => {
        gone();
        it.tracked?.end();
      }, PARTING_MS);
    },
    keep() {
      clearTimeout(parting);
      parting = undefined;
    },
  };
  return it;
}

/** Tracks a page for one site; `ended` is called when that ends. */
export function track(settings: Settings, ended: () => void): Quartile {
  const log: Log = (...what) => settings.debug && console.debug('quartile', ...what);
  const entries = new Map<HTMLMediaElement, Entry>();
  let visiting: Visit | undefined;
  let over = false;

  const each = (act: (tracked: Tracked) => void) =>
    entries.forEach(({ tracked }) => tracked && attempt(log, () => act(tracked)));

  /** Ends what is counted; `silently`, without another word. */
  const part = (silently: boolean) => {
    if (silently) visiting?.close(silently);
    each((tracked) => tracked.end());
    entries.forEach((entry) => (entry.tracked = undefined));
    if (visiting) visiting.end(silently);
    else if (silently) store(settings.identity, settings.url).forget();
    visiting = undefined;
  };
  const destroy = () => {
    if (over) return;
    over = true;
    part(false);
    entries.clear();
    ended();
  };
  const consent = (state: Consent) => {
    if (over) return;
    settings.consent = state;
    const pending = state === 'pending';
    if ((!pending && state !== 'granted') || isOut()) return part(true);
    if (visiting) return visiting.hold(pending);
    visiting = visit(settings, log, each, destroy, pending);
    for (const entry of entries.values()) entry.begin(visiting);
  };
  consent(settings.consent);

  return {
    track(element, meta = {}) {
      if (over || !isMedia(element)) {
        log('not tracked', element);
        return NOTHING;
      }
      let known = entries.get(element);
      if (known) {
        known.keep();
        known.say(meta, meta.video?.id ? meta.video : undefined);
      } else {
        known = entry(element, meta, () => entries.delete(element));
        entries.set(element, known);
        if (visiting) known.begin(visiting);
      }
      return known;
    },
    consent,
    user(user) {
      settings.user = user;
      visiting?.user();
    },
    optOut(out = true) {
      setOut(out);
      // Where nothing can be kept, it holds for this page.
      if (out) part(true);
      else consent(settings.consent);
    },
    destroy,
  };
}
