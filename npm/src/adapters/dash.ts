// dash.js: `dash(quartile.track(video), player)`.
import { type Detach, type Handlers, type Told, absolute, each, hosts, inMs } from './shared.js';

interface Representation {
  width?: number;
  height?: number;
  bitrateInKbit?: number;
}

/** As much of a dash.js player as is asked. */
export interface DashJs {
  on(event: string, handler: (data: any) => void): void;
  off(event: string, handler: (data: any) => void): void;
  isReady(): boolean;
  getVersion(): string;
  getSource(): unknown;
  isDynamic(): boolean;
  getCurrentLiveLatency(): number;
  getCurrentRepresentationForType?(type: 'video'): Representation | null;
  getSettings(): { streaming?: { abr?: { autoSwitchBitrate?: { video?: boolean } } } };
}

/** The element's own errors have its small numbers; the element tells of them itself. */
const FIRST_CODE = 10;

/**
 * What dash.js goes on after: a clock that does not answer, a piece that another address may have, a timed text, an
 * element that is linked to.
 */
const SURVIVED = [12, 16, 17, 18, 27, 29, 33];

/** Tells of a tracked element what its dash.js knows, until the returned function is called. */
export function dash(view: Told, player: DashJs): Detach {
  const host = hosts(view);
  let isLive = false;

  const load = () => {
    const source = player.isReady() && player.getSource();
    isLive = false;
    if (typeof source === 'string') view.tell({ source: absolute(source) });
  };
  const learn = () => {
    if (!isLive && player.isDynamic()) view.tell({ live: (isLive = true) });
  };
  const show = (representation?: Representation | null) => {
    if (!representation) return;
    const auto = player.getSettings().streaming?.abr?.autoSwitchBitrate?.video;
    const { width, height, bitrateInKbit } = representation;
    view.tell({ rendition: { width, height, kbps: bitrateInKbit && Math.round(bitrateInKbit), auto } });
  };
  const showCurrent = () => show(player.getCurrentRepresentationForType?.('video'));

  const handlers: Handlers<[any]> = {
    manifestLoadingStarted: load,
    streamInitialized: learn,
    playbackStarted: showCurrent,
    qualityChangeRendered({ mediaType, newRepresentation }) {
      if (mediaType === 'video') show(newRepresentation);
    },
    trackChangeRendered({ mediaType, oldMediaInfo, newMediaInfo }) {
      if (mediaType === 'audio' && oldMediaInfo) view.tell({ audio: newMediaInfo?.lang });
    },
    fragmentLoadingCompleted({ request, response }) {
      // A piece that could not be had has no response.
      if (!response) return;
      if (request.mediaType === 'video') host(request.url);
      const latencyMs = isLive ? inMs(player.getCurrentLiveLatency()) : undefined;
      view.tell({ bytes: response.byteLength, latencyMs });
    },
    error({ error }) {
      const { code, message } = error ?? {};
      if (code >= FIRST_CODE) view.tell({ error: { code: `DASH_${code}`, message, fatal: !SURVIVED.includes(code) } });
    },
  };

  view.tell({ player: { engine: `dash.js ${player.getVersion()}`, protocol: 'dash' } });
  if (player.isReady() && player.getSource()) {
    load();
    learn();
    showCurrent();
  }
  each(handlers, (name, handler) => player.on(name, handler));
  return () => each(handlers, (name, handler) => player.off(name, handler));
}
