// The page: what is tracked on it, from the first call on, even while the module is not ready yet.
import { client, isPrivate, page } from './context.js';
import { type Shell, core } from './core.js';
import { dims, isMedia, player, video } from './element.js';
import type { Settings } from './options.js';
import { deliver } from './transport.js';
import type { Meta, Quartile, Video, View } from './types.js';

/** Once more than one turn of the event loop: frameworks take elements away and put them back within one. */
const PARTING_MS = 50;

type Log = (...what: unknown[]) => void;
type Task = (shell: Shell) => void;

/** Calls made before the module is ready wait for it; afterwards nothing that goes wrong leaves here. */
function mailbox(log: Log) {
  let waiting: Task[] | undefined = [];
  let shell: Shell | undefined;
  const run = (task: Task) => {
    if (!shell) return waiting?.push(task);
    try {
      task(shell);
    } catch (error) {
      log('failed', error);
    }
  };
  const open = (ready: Shell | undefined) => {
    const tasks = waiting ?? [];
    shell = ready;
    waiting = undefined;
    tasks.forEach(run);
  };
  return { run, open };
}

/** What the module asks of the page. */
function host(settings: Settings, log: Log, run: (task: Task) => void) {
  const hidden = isPrivate();
  return {
    site: settings.site,
    sdk: SDK,
    private: hidden,
    user: hidden ? undefined : settings.user,
    viewer: hidden ? undefined : settings.viewer,
    page: page(settings.application),
    client: client(),
    guard:
      (call: (value: unknown) => void) =>
      (value: unknown): void => {
        try {
          call(value);
        } catch (error) {
          log('failed', error);
        }
      },
    send(body: string, urgent: boolean, delivery: number): void {
      log('send', body);
      void deliver(settings.url, body, urgent).then((answer) => {
        log('answer', answer);
        if (answer) run((shell) => shell.answered(delivery, ...answer));
      });
    },
  };
}

/** When playback was asked for before the module is ready; -1 if it was under way already when tracking began. */
function watchForPlay(element: HTMLMediaElement) {
  const underWay = !element.paused && element.played?.length > 0;
  const asked = { at: underWay ? -1 : NaN, pos: NaN };
  const note = () => {
    asked.at = performance.now();
    asked.pos = element.currentTime;
  };
  if (!underWay) element.addEventListener('play', note, { once: true });
  return { asked, end: () => element.removeEventListener('play', note) };
}

interface Tracked extends View {
  /** Takes back a `stop` that has not been carried out. */
  keep(meta: Meta | undefined): void;
}

/** Begins to track one element; `gone` is called when that ends. */
function tracked(element: HTMLMediaElement, meta: Meta | undefined, run: (task: Task) => void, gone: () => void): Tracked {
  const play = watchForPlay(element);
  let said = meta?.video;
  let id: number | undefined;
  let parting: ReturnType<typeof setTimeout> | undefined;
  const words = {
    video: (address: string) => video(element, said, address),
    player: player(meta?.player),
    dims: dims(meta?.dims),
  };
  run((shell) => {
    play.end();
    id = shell.track(element, words, play.asked.at, play.asked.pos);
  });
  const source = (video: Video) => {
    said = video;
    run((shell) => id !== undefined && shell.describe(id));
  };
  return {
    source,
    stop() {
      parting ??= setTimeout(() => {
        gone();
        run((shell) => id !== undefined && shell.stop(id));
      }, PARTING_MS);
    },
    keep(meta) {
      clearTimeout(parting);
      parting = undefined;
      if (meta?.video) source(meta.video);
    },
  };
}

/** Tracks a page for one site; `ended` is called when that ends. */
export function track(settings: Settings, ended: () => void): Quartile {
  const log: Log = (...what) => settings.debug && console.debug('quartile', ...what);
  const { run, open } = mailbox(log);
  const views = new WeakMap<HTMLMediaElement, Tracked>();
  let over = false;
  core()
    .then((start) => {
      const seed = crypto.getRandomValues(new Uint32Array(4)) as unknown as [number, number, number, number];
      open(over ? undefined : start(window, host(settings, log, run), ...seed));
    })
    .catch((error) => {
      log('failed', error);
      open(undefined);
    });
  return {
    track(element, meta) {
      if (over || !isMedia(element)) {
        log('not tracked', element);
        return NOTHING;
      }
      let view = views.get(element);
      if (view) view.keep(meta);
      else {
        view = tracked(element, meta, run, () => views.delete(element));
        views.set(element, view);
      }
      return view;
    },
    destroy() {
      if (over) return;
      over = true;
      ended();
      run((shell) => shell.destroy());
    },
  };
}

/** A view of nothing. */
export const NOTHING: View = { source() {}, stop() {} };
