// Shaka Player: `const watched = shaka(quartile.track(video), player)`, then `player.load(…).catch(watched.failed)`.
import { type Detach, type Handlers, type Told, absolute, breaks, each, hosts, inMs, kbps, moments } from './shared.js';

interface Target {
  addEventListener(type: string, handler: (event: any) => void): void;
  removeEventListener(type: string, handler: (event: any) => void): void;
}

interface Track {
  active?: boolean;
  width?: number | null;
  height?: number | null;
  bandwidth?: number;
  language?: string;
}

/** As much of a Shaka Player as is asked. */
export interface ShakaPlayer extends Target {
  getAssetUri(): string | null;
  getManifestType(): string | null;
  isLive(): boolean;
  getStats(): { liveLatency?: number };
  getVariantTracks(): Iterable<Track>;
  getAdManager?(): Target | null;
}

export interface ShakaError {
  code?: number;
  category?: number;
  severity?: number;
  message?: string;
}

/** The element's own error, of which the element tells. */
const VIDEO_ERROR = 3016;
/** Another load, or the end of the player, came between. */
const LOAD_INTERRUPTED = 7000;
const CRITICAL = 2;
const SEGMENT = 1;

const PROTOCOLS: Record<string, 'hls' | 'dash'> = { HLS: 'hls', DASH: 'dash' };

/**
 * Tells of a tracked element what its Shaka Player knows, until the returned function is called. Of a load that fails,
 * only the promise of `load` knows: give what it was rejected with to `failed`, which throws nothing.
 */
export function shaka(view: Told, player: ShakaPlayer): Detach & { failed(error: unknown): void } {
  const host = hosts(view);
  let language: string | undefined;
  /** It has failed for good; what else fails until the next load is an echo of that. */
  let isOver = false;

  const fail = (problem: unknown, isFatal?: boolean) => {
    const { code, category, severity, message } = (problem ?? {}) as ShakaError;
    if (code === VIDEO_ERROR || code === LOAD_INTERRUPTED) return;
    const fatal = !isOver && (isFatal ?? severity === CRITICAL);
    isOver ||= fatal;
    view.tell({ error: { code: `SHAKA_${code ?? ''}`, message: message ?? `category ${category}`, fatal } });
  };
  const load = () => {
    const source = player.getAssetUri();
    language = undefined;
    isOver = false;
    if (source) view.tell({ source: absolute(source) });
  };
  const learn = () => {
    const protocol = PROTOCOLS[player.getManifestType() ?? ''];
    if (protocol) view.tell({ player: { protocol }, live: player.isLive() || undefined });
  };
  const show = (auto?: boolean) => {
    const track = [...player.getVariantTracks()].find(({ active }) => active);
    if (!track) return;
    const { width, height, bandwidth } = track;
    view.tell({ rendition: { width: width ?? undefined, height: height ?? undefined, kbps: kbps(bandwidth), auto } });
    if (language && track.language !== language) view.tell({ audio: track.language });
    language = track.language;
  };

  const handlers: Handlers<[any]> = {
    // One more look, while the element is still where it was.
    unloading: () => view.tell({ bytes: 0 }),
    loading: load,
    manifestparsed: learn,
    loaded() {
      learn();
      show(true);
    },
    adaptation: () => show(true),
    variantchanged: () => show(false),
    error: ({ detail }) => fail(detail),
    downloadcompleted({ requestType, response }) {
      if (requestType !== SEGMENT || response?.fromCache) return;
      host(response.uri);
      const latencyMs = player.isLive() ? inMs(player.getStats().liveLatency) : undefined;
      view.tell({ bytes: response.data?.byteLength, latencyMs });
    },
  };
  const ads: Handlers<[any]> = {
    ...breaks(view, 'ad-break-started', 'ad-break-ended'),
    ...moments(view, [
      ['ad-started', 'start'],
      ['ad-first-quartile', 'quartile', 25],
      ['ad-midpoint', 'quartile', 50],
      ['ad-third-quartile', 'quartile', 75],
      ['ad-complete', 'complete'],
      ['ad-skipped', 'skip'],
      ['ad-clicked', 'click'],
      ['ad-error', 'error'],
    ]),
  };
  const manager = player.getAdManager?.();

  const { version } = player.constructor as { version?: string };
  view.tell({ player: { engine: `Shaka Player ${version?.replace(/^v/, '') ?? ''}`.trim() } });
  load();
  learn();
  show();
  each(handlers, (name, handler) => player.addEventListener(name, handler));
  each(ads, (name, handler) => manager?.addEventListener(name, handler));
  const detach = () => {
    each(handlers, (name, handler) => player.removeEventListener(name, handler));
    each(ads, (name, handler) => manager?.removeEventListener(name, handler));
  };
  return Object.assign(detach, { failed: (error: unknown) => fail(error, true) });
}
