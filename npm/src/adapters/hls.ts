// hls.js: `hls(quartile.track(video), engine)`.
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
}

/** hls.js calls this an error; it is a stall, which is counted as one already. */
const STALL = /^buffer(Stalled|SeekOver|Nudge)/;

/** Tells of a tracked element what its hls.js knows, until the engine is destroyed or the returned function is called. */
export function hls(view: Told, engine: HlsJs): Detach {
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
    hlsManifestLoading: (_, { url }) => load(engine.url ?? url),
    hlsLevelLoaded: (_, { details }) => learn(details),
    hlsLevelSwitched: (_, { level }) => show(level),
    hlsFragLoaded(_, { frag, part }) {
      if (frag.type === 'main') host(frag.url);
      view.tell({ bytes: (part ?? frag).stats?.loaded });
    },
    hlsFragChanged: () => isLive && view.tell({ latencyMs: inMs(engine.latency) }),
    hlsAudioTrackSwitched(_, { lang }) {
      // The first is no switch.
      if (hasAudio && lang) view.tell({ audio: lang });
      hasAudio = true;
    },
    hlsError(_, { type, details, fatal, error, reason, response }) {
      if (STALL.test(details)) return;
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
