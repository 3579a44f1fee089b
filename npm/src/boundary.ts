// The numbers that cross into the module; `tracker/src/signal.rs` and `sdk-wasm/src` hold the other side.

/** What a player did. */
export const enum Signal {
  Observed = 0,
  Paused = 1,
  Waiting = 2,
  CanPlayThrough = 3,
  Seeking = 4,
  FirstFrame = 5,
  Joined = 6,
  Source = 7,
  Failed = 8,
  Fullscreen = 11,
  Pip = 12,
  Captions = 14,
  AudioTrack = 15,
  Rendition = 16,
  Frames = 17,
  Bytes = 18,
  Latency = 19,
  Live = 20,
  AdBreak = 21,
  Ad = 22,
}

/** What the page did. */
export const enum PageSignal {
  Hidden = 0,
  Visible = 1,
  Frozen = 2,
  Resumed = 3,
  Left = 4,
  Restored = 5,
  Online = 6,
}

/** How many bytes of text a call can take; a test holds it against the module's own. */
export const ROOM = 16384;

/** What became of a request. */
export const enum Outcome {
  Acknowledged = 0,
  Refused = 1,
  Later = 2,
}
