/** What `init` needs to know. */
export interface Options {
  /** Where your collector answers: `https://stats.example.org`, or a path of this host like `/stats`. */
  collector: string;
  /** The key of your site in the collector: 1 to 64 letters, digits, dots, hyphens and underscores. */
  site: string;
  /** The user that you know, if visitors sign in. Not sent when the browser asks for privacy (GPC). */
  user?: string;
  /** An id of the viewer that you keep with their consent. Not sent when the browser asks for privacy (GPC). */
  viewer?: string;
  /** The application that the page is part of. */
  application?: string;
  /** Whether the visitor agrees to be counted; `granted` unless it is said. See {@link Quartile.consent}. */
  consent?: Consent;
  /**
   * How visitors are told apart. `none`: not by the page, which stores nothing; the collector makes a hash that lasts a day.
   * `session`: by the visit of a tab. `stored`: by an id that the browser keeps, for which you need their consent. Not
   * beyond `none` when the browser asks for privacy (GPC).
   */
  identity?: Identity;
  /** Sees each batch before it is sent and gives what is sent in its place; gives it nothing, nothing is sent. */
  beforeSend?: (batch: Record<string, unknown>) => object | null | undefined;
  /**
   * `js`: JavaScript instead of WebAssembly, which is not even tried. Without it, WebAssembly is tried, and JavaScript loaded
   * when the page's policy forbids it; but the attempt is reported to who wants reports of that policy.
   */
  core?: 'js';
  /** Says on the console what is sent and what goes wrong. Without it the console stays silent. */
  debug?: boolean;
}

/** `pending`: what is counted is held in memory until the visitor says. `denied`: nothing is counted. */
export type Consent = 'granted' | 'pending' | 'denied';

export type Identity = 'none' | 'session' | 'stored';

/** What an element shows. What is left out is taken from the element: `data-video-id`, else the path of its address; `data-video-title`, `title` or `aria-label`. */
export interface Video {
  /** Your id of it. */
  id?: string;
  title?: string;
  series?: string;
  category?: string;
  /** Whether it is on demand or live; what is left out is found out from its duration. */
  kind?: 'vod' | 'live';
}

/** What plays it. */
export interface Player {
  name?: string;
  version?: string;
  /** The streaming engine and its version. */
  engine?: string;
  protocol?: 'hls' | 'dash' | 'progressive' | 'other';
  /** The content delivery network of the media. */
  cdn?: string;
}

/** What is said of an element when its tracking begins. */
export interface Meta {
  video?: Video;
  player?: Player;
  /** Your own dimensions by name, at most twenty. */
  dims?: Record<string, string>;
}

/** What the element does not know, and its player or engine does. Numbers that are unknown are left out. */
export interface Facts {
  /** The address of what an engine plays through the element: the manifest's. Another one is another view. */
  source?: string;
  /** What is shown from now on: in pixels and kbit/s, and whether the player chose it (`auto`) or the viewer. */
  rendition?: { width?: number; height?: number; kbps?: number; auto?: boolean };
  /** Bytes of media that were received since this was said last. */
  bytes?: number;
  /** How far playback is behind the live edge, in milliseconds. */
  latencyMs?: number;
  /** Whether it is live, whatever the duration looks like. */
  live?: boolean;
  /** What failed; `fatal` when playback cannot go on. */
  error?: { code: string; message?: string; fatal: boolean };
  /** A break for advertisements began or ended. */
  adBreak?: boolean;
  /** Something about an advertisement; `percent` with a quartile. */
  ad?: { moment: 'start' | 'quartile' | 'complete' | 'skip' | 'click' | 'error'; percent?: number };
  /** The language of the captions that are shown now, or `false` when they were switched off. */
  captions?: string | false;
  /** The language of the audio track that is heard now. */
  audio?: string;
  /** More of what plays it, beside what was said before. */
  player?: Player;
}

/** A tracked element. */
export interface View {
  /** Says what only the player or its engine knows, as it becomes known. Adapters do that. */
  tell(facts: Facts): void;
  /** Says what the element shows now. Another id is another view. */
  source(video: Video): void;
  /** Sets your own dimensions, beside those that are set already. */
  set(dims: Record<string, string>): void;
  /** Reports what a viewer did beside playing: `interact('menu', 'share', 'mail')`. */
  interact(feature: string, name: string, value?: string): void;
  /** What is known of the view now: its id, what the player is doing, and what was counted. For people who look on. */
  snapshot(): Snapshot;
  /** Ends the tracking, unless the element is tracked again at once. */
  stop(): void;
}

/** What is known of a view: without members as long as there is none. */
export interface Snapshot {
  /** The view's id. */
  view?: string;
  /** What the player is doing. */
  state?: 'idle' | 'requested' | 'starting' | 'playing' | 'paused' | 'seeking' | 'rebuffering' | 'ended' | 'failed';
  /** Counters, by their names in reports; those that are 0 are left out. */
  [counter: string]: string | number | undefined;
}

/** What is tracked for one site. */
export interface Quartile {
  /** Tracks a `<video>` or `<audio>`. Tracking an element twice is tracking it once. Never throws. */
  track(element: HTMLMediaElement, meta?: Meta): View;
  /** The visitor agreed, or took it back: then what was not sent yet is dropped, and with it what the browser kept. */
  consent(consent: Consent): void;
  /** The user who signed in, or none any more. */
  user(user?: string): void;
  /** Never counts this browser again, for any page of this origin: for your own team. `false` takes it back. */
  optOut(out?: boolean): void;
  /** Ends all tracking, sends what is left and lets go of the page. */
  destroy(): void;
}
