// Runs in every test page, before anything else: lets a spec play videos, and measures what is truly played, from the
// element alone and in another way than the SDK does (frame by frame).

/** What a viewer really saw of one video. */
class Truth {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.playedMs = 0;
    this.position = video.currentTime;
    this.lookedAt = performance.now();
    this.look();
  }

  /** The time since the last frame counts if the playhead went on in it. */
  look() {
    const now = performance.now();
    const position = this.video.currentTime;
    if (position > this.position && !this.video.seeking) this.playedMs += now - this.lookedAt;
    this.position = position;
    this.lookedAt = now;
    requestAnimationFrame(() => this.look());
  }
}

/** What specs call. */
class Viewer {
  /** By the page's clock. */
  openedAt = Date.now();

  /** @type {Map<string, Truth>} */
  truths = new Map();

  /**
   * @param {string} id
   * @returns {HTMLVideoElement}
   */
  video(id) {
    const video = document.getElementById(id);
    if (!(video instanceof HTMLVideoElement)) throw new Error(`there is no video ${id}`);
    return video;
  }

  /**
   * Begins or goes on to play.
   * @param {string} id
   */
  async play(id) {
    const video = this.video(id);
    if (!this.truths.has(id)) this.truths.set(id, new Truth(video));
    await video.play();
  }

  /**
   * How long a video was truly played, in milliseconds, and where it is, in seconds.
   * @param {string} id
   */
  truth(id) {
    const { currentTime: position, ended, paused } = this.video(id);
    return { playedMs: this.truths.get(id)?.playedMs ?? 0, position, ended, paused };
  }
}

/**
 * Sets the page's clock forward, so that its next mark of five minutes is in so many milliseconds.
 * @param {number} ahead
 */
function approachMark(ahead) {
  const every = 300_000;
  const now = Date.now.bind(Date);
  const shift = (2 * every - (now() % every) - ahead) % every;
  Date.now = () => now() + shift;
}

const markIn = new URLSearchParams(location.search).get('mark-in');
if (markIn) approachMark(Number(markIn));
Object.assign(window, { viewer: new Viewer() });
