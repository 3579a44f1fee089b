// What only a player or its engine knows, as signals of the module.
import { Signal } from './boundary.js';
import { TITLE_BYTES, WORD_BYTES, cut } from './limits.js';
import type { Facts } from './types.js';

/** A signal with its texts and its numbers. */
export type Told = [signal: Signal, texts: (string | undefined)[], ...numbers: (number | undefined)[]];

/** The moments of an advertisement in the order of their numbers. */
const MOMENTS = ['start', 'quartile', 'complete', 'skip', 'click', 'error'];

/** The facts as signals; whether it is live comes first, because the others are judged by it. */
export function signals({ live, adBreak, ad, rendition, bytes, latencyMs, captions, audio, error }: Facts): Told[] {
  const told: (Told | false | undefined)[] = [
    live !== undefined && [Signal.Live, [], +live],
    adBreak !== undefined && [Signal.AdBreak, [], +adBreak],
    ad && [Signal.Ad, [], MOMENTS.indexOf(ad.moment), ad.percent],
    rendition && [Signal.Rendition, [choice(rendition.auto)], rendition.width, rendition.height, rendition.kbps],
    bytes !== undefined && [Signal.Bytes, [], bytes],
    latencyMs !== undefined && [Signal.Latency, [], latencyMs],
    captions !== undefined && [Signal.Captions, [cut(captions, WORD_BYTES)], +(captions !== false)],
    audio !== undefined && [Signal.AudioTrack, [cut(audio, WORD_BYTES)]],
    error && [Signal.Failed, [cut(error.code, WORD_BYTES), cut(error.message, TITLE_BYTES)], +error.fatal],
  ];
  return told.filter((one): one is Told => !!one);
}

const choice = (auto?: boolean) => auto === undefined ? '' : auto ? 'auto' : 'manual';
