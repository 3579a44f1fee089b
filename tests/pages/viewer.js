// Runs in every page of the matrix before its own module: does what a viewer does, and measures what is truly played,
// from the media element alone and in another way than the SDK does (frame by frame).

/** By how much of the time an element may be late to say where it is: Firefox goes on frame by frame. */
const LATE_MS = 100;

/** What a viewer really saw of one element. */
class Truth {
  playedMs = 0;

  /** Time that has passed and in which nothing was played so far. */
  left = 0;

  /** @param {HTMLMediaElement} media */
  constructor(media) {
    this.media = media;
    this.position = media.currentTime;
    this.movedAt = performance.now();
    this.ended = false;
    // Some players go back to the beginning right away.
    media.addEventListener('ended', () => (this.ended = true));
    this.look();
  }

  /** What the playhead went on by in a step as long as the time that it took, or less after a standstill, was played. */
  look() {
    const now = performance.now();
    const { currentTime, seeking } = this.media;
    const [step, took] = [(currentTime - this.position) * 1000, now - this.movedAt];
    if (step !== 0) {
      const played = step > 0 && !seeking && step < took * 1.25 + 300 ? Math.min(step, took + this.left) : 0;
      this.playedMs += played;
      this.left = Math.min(took + this.left - played, LATE_MS);
      this.position = currentTime;
      this.movedAt = now;
    }
    requestAnimationFrame(() => this.look());
  }
}

/** @type {Map<HTMLMediaElement, Truth>} */
const truths = new Map();

const viewer = {
  /** The element that plays, once there is one. */
  media() {
    const { page } = /** @type {{ page?: { media(): HTMLMediaElement | undefined } }} */ (/** @type {unknown} */ (window));
    const media = page?.media();
    if (media && !truths.has(media)) truths.set(media, new Truth(media));
    return media;
  },
  /** Asks to play; an element that cannot says so by an error. */
  play() {
    // Some players answer with nothing, some with a promise.
    Promise.resolve(viewer.media()?.play()).catch(() => {});
  },
  /** How long was truly played, in milliseconds, what was received for it, and how it is. */
  truth() {
    const media = viewer.media();
    const all = [...truths.values()];
    const playedMs = all.reduce((sum, truth) => sum + truth.playedMs, 0);
    const ended = all.some((truth) => truth.ended);
    const entries = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource'));
    const segments = entries.filter(({ name }) => name.endsWith('.m4s'));
    const receivedBytes = segments.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    return { playedMs, receivedBytes, position: media?.currentTime ?? 0, ended, failed: !!media?.error };
  },
};

Object.assign(window, { viewer });
