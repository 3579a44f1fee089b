// hls.js: `hls(quartile.track(video), engine)`; an element that has one inside, such as `<hls-video>`:
// `hls(quartile.track(element), element)`.
import { type Detach, type Handlers, type Told, absolute, breaks, each, hosts, inMs, kbps, moments } from './shared.js';

interface Level {
  width?: number;
  height?: number;
  bitrate?: number;
  details?: { live?: boolean } | null;
}

/** As much of hls.js as is asked. */
export interface HlsJs {
  on(event: string, handler: (event: string, data: any) => void): void;
  off(event: string, handler: (event: string, data: any) => void): void;
  readonly url?: string | null;
  readonly levels: Level[];
  readonly currentLevel: number;
  readonly autoLevelEnabled: boolean;
  readonly latency: number;
  readonly media?: { readonly error?: unknown; readonly currentTime?: number } | null;
}

/** An element that plays by an hls.js of its own, which it may make later and make anew. */
export type HlsElement = EventTarget & { readonly api?: unknown; readonly engine?: unknown; readonly error?: unknown; readonly audioTracks?: unknown };

/** hls.js calls these errors: stalls, which are counted as such already, and what it broke off itself. */
const NO_ERRORS = /^(buffer(Stalled|SeekOver|Nudge)|aborted$)/;

/** So many seconds later than the position may a piece begin that is shown there. */
const GAP = 0.5;

/** Tells of a tracked element what its hls.js knows, until the engine is destroyed or the returned function is called. */
export function hls(view: Told, engine: HlsJs | HlsElement): Detach {
  return 'addEventListener' in engine ? follow(view, engine) : watch(view, engine);
}

/** Watches whichever engine the element has. */
function follow(view: Told, element: HlsElement): Detach {
  let engine: unknown;
  let detach: Detach | undefined;
  let over = false;
  const look = () => {
    const now = element.api ?? element.engine;
    if (over || now === engine) return;
    detach?.();
    engine = now;
    detach = isEngine(now) ? watch(view, now, element) : undefined;
  };
  const types = ['emptied', 'loadstart', 'loadedmetadata', 'error'];
  types.forEach((type) => element.addEventListener(type, look));
  look();
  // An element that was made in this turn makes its engine at the end of it, and nothing tells of that.
  void Promise.resolve().then(look);
  return () => {
    over = true;
    types.forEach((type) => element.removeEventListener(type, look));
    detach?.();
  };
}

const isEngine = (it: unknown): it is HlsJs => typeof (it as HlsJs | null)?.latency === 'number';

function watch(view: Told, engine: HlsJs, element?: HlsElement): Detach {
  const host = hosts(view);
  let isLive = false;
  let hasAudio = false;

  const learn = (details?: Level['details']) => {
    // A live stream that has ended was live all the same.
    if (details?.live && !isLive) view.tell({ live: (isLive = true) });
  };
  const show = (index: number) => {
    const level = engine.levels[index];
    if (!level) return;
    const { width, height, bitrate } = level;
    view.tell({ rendition: { width, height, kbps: kbps(bitrate), auto: engine.autoLevelEnabled } });
  };
  const load = (address?: string | null) => {
    isLive = hasAudio = false;
    if (address) view.tell({ source: absolute(address) });
  };

  const handlers: Handlers<[string, any]> = {
    // One more look, while the element is still where it was.
    hlsMediaDetaching: () => view.tell({ bytes: 0 }),
    hlsManifestLoading: (_, { url }) => load(engine.url ?? url),
    hlsLevelLoaded: (_, { details }) => learn(details),
    hlsLevelSwitched: (_, { level }) => show(level),
    hlsFragLoaded(_, { frag, part }) {
      if (frag.type === 'main') host(frag.url);
      view.tell({ bytes: (part ?? frag).stats?.loaded });
    },
    hlsFragBuffered(_, { frag: { type, level, start, end } }) {
      // What was loaded a second time is shown without a word, if it begins where the viewer is.
      const at = engine.media?.currentTime ?? -1;
      if (type === 'main' && start - GAP <= at && at < end) show(level);
    },
    hlsFragChanged(_, { frag }) {
      // Another video at the same level is no switch.
      show(frag.level);
      if (isLive) view.tell({ latencyMs: inMs(engine.latency) });
    },
    hlsAudioTrackSwitched(_, { lang }) {
      // The first is no switch. An element that has tracks of its own tells of them itself.
      if (hasAudio && lang && !element?.audioTracks) view.tell({ audio: lang });
      hasAudio = true;
    },
    async hlsError(_, { type, details, fatal, error, reason, response }) {
      if (NO_ERRORS.test(details)) return;
      const media = element ?? engine.media;
      // An element with an engine inside may hear of it after us.
      if (fatal) await Promise.resolve();
      // Of what an element knows, it tells itself.
      if (fatal && media?.error) return;
      const message = [type, response?.code, reason ?? error?.message].filter(Boolean).join(' ');
      view.tell({ error: { code: details, message, fatal } });
    },
    ...breaks(view, 'hlsInterstitialStarted', 'hlsInterstitialEnded'),
    ...moments(view, [
      ['hlsInterstitialAssetStarted', 'start'],
      ['hlsInterstitialAssetEnded', 'complete'],
      ['hlsInterstitialAssetError', 'error'],
    ]),
    hlsDestroying: () => detach(),
  };
  const detach = () => each(handlers, (name, handler) => engine.off(name, handler));

  const { version } = engine.constructor as { version?: string };
  view.tell({ player: { engine: `hls.js ${version ?? ''}`.trim(), protocol: 'hls' } });
  load(engine.url);
  learn(engine.levels[Math.max(engine.currentLevel, 0)]?.details);
  show(engine.currentLevel);
  each(handlers, (name, handler) => engine.on(name, handler));
  return detach;
}
