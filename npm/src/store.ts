// What the browser keeps between pages, where the visitor and the site allow that: who they are, and what could not be sent.
import { randomId } from './context.js';
import type { Identity } from './types.js';

/** A visit ends when nothing is sent for so long. */
const VISIT_MS = 30 * 60_000;

/** What waits for the next page is not more than two full batches. */
const UNSENT_CHARACTERS = 100_000;

const OFF = 'quartile.off';
const VIEWER = 'quartile.viewer';
const VISIT = 'quartile.visit';

/** Reads or writes; a browser may refuse both. */
function kept(name: string, value?: string | null, storage: 'localStorage' | 'sessionStorage' = 'localStorage'): string | null {
  try {
    const known = window[storage].getItem(name);
    if (value === null) window[storage].removeItem(name);
    else if (value !== undefined) window[storage].setItem(name, value);
    return known;
  } catch {
    return null;
  }
}

/** Whether this browser is never counted. */
export const isOut = () => kept(OFF) !== null;
export const setOut = (out: boolean) => kept(OFF, out ? '1' : null);

/** Who the visitor is, as far as it may be known, and what the page before could not send to `url`. */
export function store(identity: Identity, url: string) {
  const where = identity === 'stored' ? 'localStorage' : 'sessionStorage';
  const UNSENT = `quartile.unsent ${url}`;
  const page = randomId();
  const unsent = new Map<number, string>();
  const save = () => {
    const texts = [...unsent.values()];
    kept(UNSENT, texts.length && texts.join('').length < UNSENT_CHARACTERS ? JSON.stringify(texts) : null, where);
  };
  return {
    /** The session, which goes on with every call. */
    session(): string {
      if (identity === 'none') return page;
      const [id, at] = (kept(VISIT, undefined, where) ?? '').split(' ');
      const session = id && Date.now() - +at! < VISIT_MS ? id : page;
      kept(VISIT, `${session} ${Date.now()}`, where);
      return session;
    },
    /** The id that the browser keeps. */
    viewer(): string | undefined {
      if (identity !== 'stored') return undefined;
      const id = kept(VIEWER) ?? randomId();
      kept(VIEWER, id);
      return id;
    },
    /** Keeps a request of a page that goes away, until it is answered. */
    keep(request: number, body: string): void {
      if (identity === 'none') return;
      unsent.set(request, body);
      save();
    },
    /** It was answered. */
    drop(request: number): void {
      if (unsent.delete(request)) save();
    },
    /** What the page before left, once. */
    left(): string[] {
      try {
        return identity === 'none' ? [] : JSON.parse(kept(UNSENT, null, where) ?? '[]');
      } catch {
        return [];
      }
    },
    /** Forgets everything. */
    forget(): void {
      // An answer that comes later keeps nothing, either.
      identity = 'none';
      for (const name of [VIEWER, VISIT, UNSENT]) kept(name, null, where);
    },
  };
}

export type Store = ReturnType<typeof store>;
