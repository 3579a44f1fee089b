// What is said of an element: by the site, and where it says nothing, by the markup.
import { CUSTOM_NAMES, ID_BYTES, TITLE_BYTES, WORD_BYTES, cut } from './limits.js';
import type { Meta, Video } from './types.js';

/** Whether it has what the tracking of a media element needs; custom elements that stand for one have it, too. */
export function isMedia(element: unknown): element is HTMLMediaElement {
  const it = element as HTMLMediaElement | null | undefined;
  return typeof it?.getAttribute === 'function' && typeof it.addEventListener === 'function' && 'currentTime' in it;
}

/** The path of an address that a server serves; only that tells one video from another. */
export const path = (address: string) => /^https?:\/\/[^/?#]*(\/[^?#]*)/.exec(address)?.[1];

/** What an element shows at `address`. */
export function video(element: HTMLMediaElement, said: Video | undefined, address: string) {
  const marked = (name: string) => element.getAttribute(name);
  const title = said?.title || marked('data-video-title') || marked('title') || marked('aria-label');
  return {
    id: cut(said?.id || marked('data-video-id') || path(address), ID_BYTES),
    title: cut(title, TITLE_BYTES),
    series: cut(said?.series, TITLE_BYTES),
    category: cut(said?.category, TITLE_BYTES),
    audio: element.tagName === 'AUDIO',
  };
}

/** What plays, as it is on the wire. */
export function player(said: Meta['player']) {
  const { name, version, engine, protocol, cdn } = said ?? {};
  const word = (text: unknown) => cut(text, WORD_BYTES);
  return {
    name: word(name),
    version: word(version),
    engine: word(engine),
    protocol: word(protocol),
    cdn: cut(cdn, ID_BYTES),
  };
}

/** The site's dimensions: names and values in turn. */
export function dims(said: Meta['dims']): string[] {
  const pairs = Object.entries(said ?? {}).slice(0, CUSTOM_NAMES);
  return pairs.flatMap(([name, value]) => [cut(name, WORD_BYTES) ?? '', cut(String(value), ID_BYTES) ?? '']);
}
