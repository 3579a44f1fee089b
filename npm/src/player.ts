// One tracked element: it is listened to from the first call on, and told of once the module is there.
import { Signal } from './boundary.js';
import { type Core, put } from './core.js';
import { EVENTS, Flags, address, failure, flags, isPlaceholder, isUnderWay, kind, subject } from './element.js';
import { type Run, now } from './engine.js';
import { signals } from './facts.js';
import { URL_BYTES, cut } from './limits.js';
import type { Facts, Meta } from './types.js';

export type Tracked = ReturnType<typeof listen>;

/** Listens to an element. */
export function listen(element: HTMLMediaElement, said: Meta, run: Run) {
  let id: number | undefined;
  let awaitsFrame = false;
  /** When playback was asked for before the module was there, and where. */
  let asked: { at: number; pos: number } | undefined;
  const underWay = isUnderWay(element);
  /** What an engine plays through the element, which knows nothing of it but a `blob:` address. */
  let manifest = '';
  /** Whether the engine has played something else before. */
  let another = false;

  /** Tells a signal, with its texts and numbers and the element as it is. */
  const tell = (core: Core, signal: Signal, texts: number, a = 0, b = 0, at = now(), pos = element.currentTime, mask = ~0, c = 0) =>
    id !== undefined &&
    core.observe(
      texts, id, signal, flags(element) & mask, pos, element.duration, element.playbackRate, element.volume, a, b, c, at,
    );
  const observe = (core: Core, signal: Signal, a?: number, b?: number) => tell(core, signal, 0, a, b);

  /** Whether only the engine knows what is shown. */
  const isEngines = () => !!manifest && /^$|^(blob|mediastream):/.test(address(element));
  const shown = () => (isEngines() ? manifest : address(element));
  /** The first manifest is told as the `blob:` address that stands for it: that it becomes known changes nothing. */
  const putSource = (core: Core, source = isEngines() && !another ? 'blob:' : shown()) =>
    put(core, isPlaceholder(source) ? '' : cut(source, URL_BYTES));
  const putSubject = (core: Core) => put(core, ...subject(element, said, shown()));

  /** Asks for one callback at the next frame: one for every frame would cost too much. */
  const awaitFrame = () => {
    if (awaitsFrame) return;
    awaitsFrame = 'requestVideoFrameCallback' in element;
    (element as HTMLVideoElement).requestVideoFrameCallback?.(() => {
      awaitsFrame = false;
      run((core) => observe(core, Signal.FirstFrame));
    });
  };

  const describe = (core: Core) => {
    if (id !== undefined) core.describe(putSubject(core), kind(said.video), id, now());
  };

  const hear = (type: string) => (core: Core) => {
    const signal = EVENTS[type] ?? Signal.Observed;
    if (type === 'play') awaitFrame();
    if (signal === Signal.Source) {
      if (!isPlaceholder(shown())) describe(core);
      tell(core, signal, putSource(core));
    } else if (signal === Signal.Failed) {
      // What players park on may be missing.
      const why = !isPlaceholder(shown()) && failure(element);
      if (why) tell(core, signal, put(core, ...why), 1);
    } else {
      // What begins has a number that says so, which the other signals do not look at.
      observe(core, signal, /^enter|begin/.test(type) ? 1 : 0);
    }
  };

  const handle = ({ type }: Event) => {
    if (id !== undefined) run(hear(type));
    else if (type === 'play') asked ??= { at: now(), pos: element.currentTime };
  };

  run((core) => {
    id = core.attach(putSubject(core), kind(said.video));
    const source = putSource(core);
    if (asked && !underWay) tell(core, Signal.Source, source, 0, 0, asked.at, asked.pos, ~Flags.AtRest);
    else tell(core, Signal.Source, source);
    observe(core, underWay ? Signal.Joined : Signal.Observed);
    // What failed before the module was there will not fail again.
    hear('error')(core);
    if (!element.paused) awaitFrame();
  });
  for (const type in EVENTS) element.addEventListener(type, handle);

  return {
    /** Looks at the element, and at how many frames it showed. */
    look(core: Core): void {
      const frames = (element as HTMLVideoElement).getVideoPlaybackQuality?.();
      observe(core, Signal.Frames, frames?.totalVideoFrames, frames?.droppedVideoFrames);
    },
    /** The page entered or left full screen. */
    fullscreen(core: Core): void {
      observe(core, Signal.Fullscreen, document.fullscreenElement?.contains(element) ? 1 : 0);
    },
    /** More is said of what it shows or of what plays it. */
    say(more: Meta): void {
      said = { ...said, ...more };
      run(describe);
    },
    /** Its player or engine tells what the element does not know. */
    tell(facts: Facts): void {
      if (facts.source && facts.source !== manifest) {
        another = manifest !== '';
        manifest = facts.source;
        run(hear('loadstart'));
      }
      if (facts.player) this.say({ player: { ...said.player, ...facts.player } });
      signals(facts).forEach(([signal, texts, a, b, c]) =>
        run((core) => tell(core, signal, put(core, ...texts), a, b, now(), element.currentTime, ~0, c)),
      );
    },
    /** Lets go of the element. */
    end(): void {
      for (const type in EVENTS) element.removeEventListener(type, handle);
      run((core) => {
        if (id === undefined) return;
        observe(core, Signal.Observed);
        core.detach(id, now());
        id = undefined;
      });
    },
  };
}
