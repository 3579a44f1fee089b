// A media element: which of its events mean what, how it is right now, and what is said of it, by the site and where
// that says nothing, by the markup.
import { Signal } from './boundary.js';
import { CUSTOM_NAMES, ID_BYTES, TITLE_BYTES, WORD_BYTES, cut } from './limits.js';
import type { Meta, Video } from './types.js';

/**
 * The events that are listened to. An event says little more than *look again*: nothing is concluded from its name where
 * the element can be asked, because between an event and its delivery the element may have moved on.
 */
export const EVENTS: Record<string, Signal> = {
  loadstart: Signal.Source,
  emptied: Signal.Source,
  loadedmetadata: Signal.Source,
  play: Signal.Observed,
  playing: Signal.Observed,
  timeupdate: Signal.Observed,
  seeked: Signal.Observed,
  ratechange: Signal.Observed,
  durationchange: Signal.Observed,
  canplay: Signal.Observed,
  suspend: Signal.Observed,
  ended: Signal.Observed,
  volumechange: Signal.Observed,
  pause: Signal.Paused,
  waiting: Signal.Waiting,
  canplaythrough: Signal.CanPlayThrough,
  seeking: Signal.Seeking,
  error: Signal.Failed,
  enterpictureinpicture: Signal.Pip,
  leavepictureinpicture: Signal.Pip,
  webkitbeginfullscreen: Signal.Fullscreen,
  webkitendfullscreen: Signal.Fullscreen,
};

/** Whether it has what the tracking of a media element needs; custom elements that stand for one have it, too. */
export function isMedia(element: unknown): element is HTMLMediaElement {
  const it = element as HTMLMediaElement | null | undefined;
  return typeof it?.getAttribute === 'function' && 'currentTime' in it;
}

/** Playback was under way before anybody looked. */
export const isUnderWay = (element: HTMLMediaElement) => !element.paused && element.played?.length > 0;

/** As in the standard's constants of `HTMLMediaElement`, which custom elements need not have. */
const enum State {
  NetworkIdle = 1,
  NetworkNoSource = 3,
  HaveMetadata = 1,
  HaveFutureData = 3,
}

/** How the element is, as bits. What waits to be asked before it loads is ready, too. */
export function flags(element: HTMLMediaElement): number {
  const { networkState, preload, readyState } = element;
  const ready = readyState >= State.HaveMetadata;
  const asleep = networkState === State.NetworkIdle && preload === 'none';
  const bits = [
    element.paused,
    element.ended,
    element.seeking,
    ready || asleep,
    readyState < State.HaveFutureData,
    element.loop,
    element.autoplay,
    element.muted,
  ];
  return bits.reduce((sum, bit, index) => sum | (bit ? 1 << index : 0), 0);
}

/** The address of what the element shows; `mediastream:` when it is an object, empty when there is nothing. */
export const address = (element: HTMLMediaElement) => (element.srcObject ? 'mediastream:' : element.currentSrc || '');

/** Whether players park on this address while they show nothing. */
export const isPlaceholder = (address: string) => /^$|^data:|^about:|\/blank\.mp4$/.test(address);

/**
 * Why the element cannot play: its error's name and the browser's words. Nothing when the page took the source away. If all
 * its `<source>`s failed it has no error, and no source when it hears of the last that was `tried`; what an engine makes of
 * its own such sources, it tells itself.
 */
export function failure({ error, networkState }: HTMLMediaElement, tried?: string): [code: string, message: string] | undefined {
  const name = { 2: 'NETWORK', 3: 'DECODE', 4: 'SRC_NOT_SUPPORTED' }[error?.code ?? (tried && networkState === State.NetworkNoSource ? 4 : 0)];
  return name ? [`MEDIA_ERR_${name}`, cut(error?.message, TITLE_BYTES) ?? ''] : undefined;
}

/** The path of an address that a server serves; only that tells one video from another. */
export const path = (address: string) => /^https?:\/\/[^/?#]*(\/[^?#]*)/.exec(address)?.[1];

/** Names and texts in turn; what is missing stays empty. */
type Texts = (string | undefined)[];

/** Whether it is live, in the boundary's numbers: 0 unknown, 1 no, 2 yes. */
export const kind = (said?: Video) => ['vod', 'live'].indexOf(said?.kind ?? '') + 1;

/**
 * What an element shows at `address` and what plays it. A name begins with the initial of what it belongs to (video,
 * player, dimensions), as a capital if the text is `true` or `false`.
 */
export function subject(element: HTMLMediaElement, { video, player, dims }: Meta, address: string): Texts {
  const marked = (name: string) => element.getAttribute(name);
  const said = (of: object | undefined, initial: string, names: string[], most: number) =>
    names.flatMap((name) => [initial + name, cut((of as Record<string, unknown>)?.[name], most)]);
  const title = video?.title || marked('data-video-title') || marked('title') || marked('aria-label');
  return [
    'vid', cut(video?.id || marked('data-video-id') || path(address), ID_BYTES),
    'vtitle', cut(title, TITLE_BYTES),
    'vmedia', element.tagName === 'AUDIO' ? 'audio' : 'video',
    'Pautoplay', `${element.autoplay}`,
    'Pmuted_start', `${element.muted}`,
    ...said(video, 'v', ['series', 'category'], TITLE_BYTES),
    ...said(player, 'p', ['name', 'version', 'engine', 'protocol'], WORD_BYTES),
    ...said(player, 'p', ['cdn'], ID_BYTES),
    ...Object.entries(dims ?? {}).slice(0, CUSTOM_NAMES).flatMap(([name, value]) => {
      const known = cut(name, WORD_BYTES);
      return known ? [`d${known}`, cut(String(value), ID_BYTES)] : [];
    }),
  ];
}
