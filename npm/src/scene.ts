// What is around the picture, and no event of the element tells: whether it is in view, on which screen, with which
// captions and sound.
import { Signal } from './boundary.js';

/** An element is seen when at least half of it was in view for so long. */
const SEEN_MS = 2000;

type Tell = (signal: Signal, on: boolean, language?: string) => void;

interface Track {
  kind: string;
  language: string;
  mode?: string;
  enabled?: boolean;
}

type Tracks = EventTarget & ArrayLike<Track>;

type Player = HTMLMediaElement & { audioTracks?: Tracks };

/** Listens to all of it, and says what changes. */
export function scene(element: Player, tell: Tell) {
  const { textTracks, audioTracks, remote } = element;
  const endings: (() => void)[] = [];
  const listen = (target: EventTarget | undefined, type: string, act: () => void) => {
    target?.addEventListener?.(type, act);
    endings.push(() => target?.removeEventListener?.(type, act));
  };

  /** Tells when another of the tracks is chosen, or none. */
  const choice = (tracks: Tracks | undefined, signal: Signal, chosen: (track: Track) => unknown) => {
    const language = () => tracks && Array.from(tracks).find(chosen)?.language;
    let before = language();
    listen(tracks, 'change', () => {
      const now = language();
      if (now !== before) tell(signal, now !== undefined, now);
      before = now;
    });
  };
  choice(textTracks as unknown as Tracks, Signal.Captions, (track) => track.mode === 'showing' && /^(cap|sub)t/.test(track.kind));
  choice(audioTracks, Signal.AudioTrack, (track) => track.enabled);

  // AirPlay, too: Safari has had this since 13.1.
  listen(remote, 'connect', () => tell(Signal.Cast, true));
  listen(remote, 'disconnect', () => tell(Signal.Cast, false));

  let inView = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Waits for it to be seen, from now on. */
  const awaitSight = () => {
    clearTimeout(timer);
    if (inView && !document.hidden) timer = setTimeout(() => tell(Signal.Viewable, true), SEEN_MS);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      inView = entries[entries.length - 1]!.intersectionRatio >= 0.5;
      awaitSight();
    },
    { threshold: 0.5 },
  );
  observer.observe(element);

  return {
    /** Another view begins, or the page was hidden or shown. */
    again: awaitSight,
    end(): void {
      clearTimeout(timer);
      observer.disconnect();
      endings.forEach((end) => end());
    },
  };
}
