// What adapters have in common. An engine is never imported: what an adapter asks of it is written down as a type.
import type { Facts, View } from '../types.js';

/** What an adapter needs of a tracked element. */
export type Told = Pick<View, 'tell'>;

/** Ends the work of an adapter. */
export type Detach = () => void;

/** What to do at an event of this name. */
export type Handlers<Arguments extends unknown[]> = Record<string, (...data: Arguments) => void>;

/** Calls `act` with every name and handler. */
export const each = <A extends unknown[]>(handlers: Handlers<A>, act: (name: string, handler: Handlers<A>[string]) => void) =>
  Object.entries(handlers).forEach(([name, handler]) => act(name, handler));

/** The address in whole, as an engine may have been given only a path. */
export const absolute = (address: string) => new URL(address, document.baseURI).href;

/** The bitrate that an engine has in bits per second. */
export const kbps = (bits?: number) => bits && Math.round(bits / 1000);

/** What an engine gives in seconds, when it knows it. */
export const inMs = (seconds?: number | null) =>
  typeof seconds === 'number' && seconds > 0 ? Math.round(seconds * 1000) : undefined;

/** Tells from where media comes, whenever that is another host than before. */
export function hosts(view: Told): (address?: string | null) => void {
  let before: string | undefined;
  return (address) => {
    const cdn = address && new URL(absolute(address)).host;
    if (cdn && cdn !== before) view.tell({ player: { cdn: (before = cdn) } });
  };
}

type Moment = [name: string, moment: NonNullable<Facts['ad']>['moment'], percent?: number];

/** Handlers for a player's own names of the moments of an advertisement. */
export const moments = (view: Told, names: Moment[]): Handlers<[]> =>
  Object.fromEntries(names.map(([name, moment, percent]) => [name, () => view.tell({ ad: { moment, percent } })]));

/** Handlers for its names of the beginning and the end of a break for them. */
export const breaks = (view: Told, begin: string, end: string): Handlers<[]> => ({
  [begin]: () => view.tell({ adBreak: true }),
  [end]: () => view.tell({ adBreak: false }),
});
