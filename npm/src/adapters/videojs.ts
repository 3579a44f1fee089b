// Video.js 8: `videojs(quartile.track(video), player)`. Video.js 10: `videojs(quartile.track(media), media)`, where
// `media` is its media element, such as `<hls-video>`.
import { type HlsElement, hls } from './hls.js';
import { type Detach, type Handlers, type Told, absolute, breaks, each, hosts, inMs, kbps, moments } from './shared.js';

interface Playlist {
  endList?: boolean;
  targetDuration?: number;
  serverControl?: { holdBack?: number };
}

/** The engine of Video.js 8. */
interface Vhs {
  stats?: { mediaBytesTransferred?: number };
  playlists?: { media?(): Playlist | undefined };
  version?(): Record<string, string>;
}

/** What its engine says of the segment that is shown. */
interface Cue {
  value?: { uri?: string; bandwidth?: number; resolution?: { width?: number; height?: number } };
}

interface Segments {
  label?: string;
  activeCues?: ArrayLike<Cue> | null;
  addEventListener(type: 'cuechange', handler: () => void): void;
  removeEventListener(type: 'cuechange', handler: () => void): void;
}

/** As much of a player of Video.js 8 as is asked. */
export interface VideoJs8 {
  on(type: string, handler: (event: any) => void): void;
  off(type: string, handler: (event: any) => void): void;
  tech(really: true): { vhs?: Vhs; el?(): unknown } | undefined;
  textTracks(): ArrayLike<unknown> & EventTarget;
  error(): { code: number; message?: string } | null;
  currentSrc(): string;
  currentType(): string;
  currentTime(): number | undefined;
  seekable(): { length: number; end(index: number): number };
  version?(): Record<string, string>;
}

const CODES = ['', 'ABORTED', 'NETWORK', 'DECODE', 'SRC_NOT_SUPPORTED', 'ENCRYPTED'];

const PROTOCOLS = [['hls', /mpegurl/i], ['dash', /dash/i]] as const;

/** The engine's name of the track of what it loaded. */
const SEGMENTS = 'segment-metadata';

/** Where nothing else is said, players stay so many segments behind the live edge. */
const SEGMENTS_BEHIND = 3;

/** Tells of a tracked element what its Video.js knows, until the player is disposed of or the returned function is called. */
export function videojs(view: Told, player: VideoJs8 | HlsElement): Detach {
  if ('tech' in player) return eight(view, player);
  view.tell({ player: { name: 'video.js', version: '10' } });
  return hls(view, player);
}

function eight(view: Told, player: VideoJs8): Detach {
  const host = hosts(view);
  let engine: Vhs | undefined;
  let received = 0;
  let isLive = false;
  let tracks: Segments[] = [];

  const vhs = () => player.tech(true)?.vhs;
  const count = () => {
    const now = vhs();
    if (now !== engine) received = 0;
    engine = now;
    const all = now?.stats?.mediaBytesTransferred ?? 0;
    if (all > received) view.tell({ bytes: all - received });
    received = all;
  };
  const playlist = () => vhs()?.playlists?.media?.();
  const learn = () => {
    const now = playlist();
    // A playlist that grows does not name its end.
    if (now && !now.endList && !isLive) view.tell({ live: (isLive = true) });
  };
  const measure = ({ serverControl, targetDuration = 0 }: Playlist) => {
    // What can be sought to ends before the live edge, by as much as players are told to stay behind.
    const behind = serverControl?.holdBack ?? SEGMENTS_BEHIND * targetDuration;
    const seekable = player.seekable();
    if (!seekable.length) return;
    view.tell({ latencyMs: inMs(seekable.end(seekable.length - 1) + behind - (player.currentTime() ?? 0)) });
  };
  const show = () => {
    count();
    const cue = tracks.map(({ activeCues }) => activeCues?.[0]?.value).find(Boolean);
    if (!cue) return;
    const { uri, bandwidth, resolution } = cue;
    host(uri);
    view.tell({ rendition: { width: resolution?.width, height: resolution?.height, kbps: kbps(bandwidth) } });
    learn();
    if (isLive) measure(playlist() ?? {});
  };
  const follow = () => {
    tracks.forEach((track) => track.removeEventListener('cuechange', show));
    tracks = (Array.from(player.textTracks()) as Segments[]).filter(({ label }) => label === SEGMENTS);
    tracks.forEach((track) => track.addEventListener('cuechange', show));
  };
  const load = () => {
    isLive = false;
    const source = player.currentSrc();
    if (!source) return;
    view.tell({ source: absolute(source) });
    const version = vhs()?.version?.()['@videojs/http-streaming'];
    const [protocol] = PROTOCOLS.find(([, type]) => type.test(player.currentType())) ?? ['progressive' as const];
    view.tell({ player: { protocol, engine: vhs() ? `VHS ${version ?? ''}`.trim() : '' } });
  };
  const fail = () => {
    const error = player.error();
    const own = (player.tech(true)?.el?.() as HTMLMediaElement | undefined)?.error;
    // The element tells of its own.
    if (!error || own) return;
    view.tell({ error: { code: `MEDIA_ERR_${CODES[error.code] || error.code}`, message: error.message, fatal: true } });
  };

  const handlers: Handlers<[any]> = {
    loadstart: load,
    // The duration of a playlist that grows looks like that of any other.
    loadedmetadata: learn,
    progress: count,
    pause: count,
    ended: count,
    error: fail,
    dispose: () => detach(),
    ...breaks(view, 'adstart', 'adend'),
    ...moments(view, [
      ['ads-ad-started', 'start'],
      ['ads-first-quartile', 'quartile', 25],
      ['ads-midpoint', 'quartile', 50],
      ['ads-third-quartile', 'quartile', 75],
      ['ads-ad-ended', 'complete'],
      ['ads-ad-skipped', 'skip'],
      ['ads-click', 'click'],
      ['adserror', 'error'],
    ]),
  };
  const detach = () => {
    each(handlers, (name, handler) => player.off(name, handler));
    player.textTracks().removeEventListener('addtrack', follow);
    tracks.forEach((track) => track.removeEventListener('cuechange', show));
  };

  view.tell({ player: { name: 'video.js', version: player.version?.()['video.js'] } });
  load();
  follow();
  each(handlers, (name, handler) => player.on(name, handler));
  player.textTracks().addEventListener('addtrack', follow);
  return detach;
}
