// One tracked element: it is listened to from the first call on, and told of once the module is there.
import { Signal } from './boundary.js';
import { type Core, put, result } from './core.js';
import { EVENTS, address, failure, flags, isPlaceholder, isUnderWay, kind, path, subject } from './element.js';
import { type Run, now } from './engine.js';
import { signals } from './facts.js';
import { URL_BYTES, WORD_BYTES, cut } from './limits.js';
import { scene } from './scene.js';
import type { Facts, Meta } from './types.js';

export type Tracked = ReturnType<typeof listen>;

/** Listens to an element. */
export function listen(element: HTMLMediaElement, said: Meta, run: Run) {
  let id: number | undefined;
  let awaitsFrame = false;
  const underWay = isUnderWay(element);
  /** What an engine plays through the element, which knows nothing of it but a `blob:` address. */
  let manifest = '';
  /** Whether the engine has played something else before. */
  let another = false;

  /** The element as it is now, around the numbers of a signal: a module that comes later is told what was so then. */
  const look = (a = 0, b = 0, c = 0) =>
    [flags(element), element.currentTime, element.duration, element.playbackRate, element.volume, a, b, c, now()] as const;

  const tell = (core: Core, signal: Signal, texts = 0, seen = look()) => id !== undefined && core.observe(texts, id, signal, ...seen);

  /** Tells a signal of now, with its texts and numbers. */
  const report = (signal: Signal, texts: (string | undefined)[] = [], ...numbers: (number | undefined)[]) => {
    const seen = look(...numbers);
    run((core) => tell(core, signal, texts.length && put(core, ...texts), seen));
  };

  /** Whether only the engine knows what is shown. */
  const isEngines = () => !!manifest && /^$|^(blob|mediastream):/.test(address(element));
  const shown = () => (isEngines() ? manifest : address(element));
  /** The first manifest is told as the `blob:` address that stands for it: that it becomes known changes nothing. */
  const told = () => (isEngines() && !another ? 'blob:' : shown());

  const putSource = (core: Core, source: string) => put(core, isPlaceholder(source) ? '' : cut(source, URL_BYTES));
  const putSubject = (core: Core, source: string) => put(core, ...subject(element, said, source));

  /** Asks for one callback at the next frame: one for every frame would cost too much. */
  const awaitFrame = () => {
    if (awaitsFrame) return;
    awaitsFrame = 'requestVideoFrameCallback' in element;
    (element as HTMLVideoElement).requestVideoFrameCallback?.(() => {
      awaitsFrame = false;
      report(Signal.FirstFrame);
    });
  };

  const describe = (core: Core, source: string, at: number) => {
    if (id !== undefined) core.describe(putSubject(core, source), kind(said.video), id, at);
  };

  /** It shows something else, or nothing. */
  const change = () => {
    last = shown();
    const [name, source, seen] = [last, told(), look()];
    run((core) => {
      if (!isPlaceholder(name)) describe(core, name, seen[8]);
      tell(core, Signal.Source, putSource(core, source), seen);
      around.again();
    });
  };

  const fail = (tried?: string) => {
    // What players park on may be missing.
    const why = !isPlaceholder(shown()) && failure(element, tried);
    if (why) report(Signal.Failed, why, 1);
  };

  const handle = ({ type }: Event) => {
    const signal = EVENTS[type]!;
    if (type === 'play') awaitFrame();
    // Where the first of several sources cannot be had, nothing says that the next is tried.
    if (signal === Signal.Source || shown() !== last) change();
    if (signal === Signal.Failed) fail(path(address(element)));
    // What begins has a number that says so, which the other signals do not look at.
    else if (signal !== Signal.Source) report(signal, [], /^enter|begin/.test(type) ? 1 : 0);
  };

  const [name, source, seen] = [shown(), told(), look()];
  let last = name;
  run((core) => {
    id = core.attach(putSubject(core, name), kind(said.video));
    tell(core, Signal.Source, putSource(core, source), seen);
    tell(core, underWay ? Signal.Joined : Signal.Observed, 0, seen);
  });
  // What has failed will not fail again.
  fail();
  if (!element.paused) awaitFrame();
  const around = scene(element, (signal, on, language) => report(signal, [cut(language, WORD_BYTES)], +on));
  // Before listeners of others: a player that hears of an error may take it away.
  for (const type in EVENTS) element.addEventListener(type, handle, true);

  return {
    /** Looks at the element, and at how many frames it showed. */
    look(core: Core): void {
      const frames = (element as HTMLVideoElement).getVideoPlaybackQuality?.();
      tell(core, Signal.Frames, 0, look(frames?.totalVideoFrames, frames?.droppedVideoFrames));
    },
    /** The page entered or left full screen. */
    fullscreen(core: Core): void {
      tell(core, Signal.Fullscreen, 0, look(document.fullscreenElement?.contains(element) ? 1 : 0));
    },
    /** What is said of what it shows and of what plays it is this now. */
    say(all: Meta): void {
      said = all;
      run((core) => describe(core, shown(), now()));
    },
    /** The page was hidden or shown. */
    again: around.again,
    /** The viewer did something beside playing. */
    interact(...texts: (string | undefined)[]): void {
      report(Signal.Interaction, texts.map((text) => cut(text, WORD_BYTES)));
    },
    /** What is known of the view. */
    snapshot(): object | undefined {
      let known: object | undefined;
      run((core) => {
        if (id === undefined) return;
        tell(core, Signal.Observed);
        core.snapshot(id);
        known = JSON.parse(result(core)) as object;
      });
      return known;
    },
    /** Its player or engine tells what the element does not know. */
    tell(facts: Facts): void {
      if (facts.source && facts.source !== manifest) {
        another = manifest !== '';
        manifest = facts.source;
        change();
      }
      signals(facts).forEach((signal) => report(...signal));
    },
    /** Lets go of the element. */
    end(): void {
      around.end();
      for (const type in EVENTS) element.removeEventListener(type, handle, true);
      const seen = look();
      run((core) => {
        if (id === undefined) return;
        tell(core, Signal.Observed, 0, seen);
        core.detach(id, seen[8]);
        id = undefined;
      });
    },
  };
}
