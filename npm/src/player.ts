// One tracked element: it is listened to from the first call on, and told of once the module is there.
import { Signal, Text } from './boundary.js';
import { type Core, dim, put, wasm } from './core.js';
import { AT_REST, EVENTS, address, dims, failure, flags, isPlaceholder, isUnderWay, player, video } from './element.js';
import { type Run, now } from './engine.js';
import type { Meta } from './types.js';

export type Tracked = ReturnType<typeof listen>;

/** Puts the texts that are known, at `first` and after it. */
function putAll(first: Text, texts: (string | undefined)[]): void {
  texts.forEach((text, index) => text && put(first + index, text));
}

/** Listens to an element. */
export function listen(element: HTMLMediaElement, said: Meta, run: Run) {
  let id: number | undefined;
  let awaitsFrame = false;
  /** When playback was asked for before the module was there, and where. */
  let asked: { at: number; pos: number } | undefined;
  const underWay = isUnderWay(element);

  const observe = (core: Core, signal: Signal, a = 0, b = 0, at = now(), pos = element.currentTime, mask = ~0) =>
    id !== undefined &&
    wasm.core_observe(
      core, id, signal, flags(element) & mask, pos, element.duration, element.playbackRate, element.volume, a, b, 0, at,
    );

  const putSource = () => put(Text.First, address(element));
  const putVideo = () => putAll(Text.Video, video(element, said.video, address(element)));
  const putPlayer = () => {
    putAll(Text.Player, player(element, said.player));
    dims(said.dims).forEach(([name, value]) => dim(name, value));
  };

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
    if (id === undefined) return;
    putVideo();
    wasm.core_describe(core, id, now());
  };

  const hear = (type: string) => (core: Core) => {
    let signal = EVENTS[type] ?? Signal.Observed;
    if (type === 'play') awaitFrame();
    if (signal === Signal.Source) {
      if (!isPlaceholder(address(element))) describe(core);
      putSource();
    }
    if (signal === Signal.Failed) {
      const why = failure(element);
      if (why) putAll(Text.First, why);
      else signal = Signal.Observed;
    }
    // What begins and fails has a number that says so, which the other signals do not look at.
    observe(core, signal, /^(error|enter)|begin/.test(type) ? 1 : 0);
  };

  const handle = ({ type }: Event) => {
    if (id !== undefined) run(hear(type));
    else if (type === 'play') asked ??= { at: now(), pos: element.currentTime };
  };

  run((core) => {
    putVideo();
    putPlayer();
    id = wasm.core_attach(core);
    putSource();
    if (asked && !underWay) observe(core, Signal.Source, 0, 0, asked.at, asked.pos, ~AT_REST);
    else observe(core, Signal.Source);
    observe(core, underWay ? Signal.Joined : Signal.Observed);
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
      if (more.video) run(describe);
      if (more.player || more.dims) {
        run((core) => {
          if (id === undefined) return;
          putPlayer();
          wasm.core_dimensions(core, id, now());
        });
      }
    },
    /** Lets go of the element. */
    end(): void {
      for (const type in EVENTS) element.removeEventListener(type, handle);
      run((core) => {
        if (id === undefined) return;
        observe(core, Signal.Observed);
        wasm.core_detach(core, id, now());
        id = undefined;
      });
    },
  };
}
