import { ID_BYTES, cut } from './limits.js';
import type { Load } from './loading.js';
import type { Consent, Identity, Options } from './types.js';

/** Options that are known to be good. */
export interface Settings {
  /** Where batches go. */
  url: string;
  site: string;
  user?: string;
  viewer?: string;
  application?: string;
  consent: Consent;
  identity: Identity;
  beforeSend?: Options['beforeSend'];
  /** How its core is loaded. */
  load: Load;
  debug: boolean;
}

/** Tells of a mistake. */
export function wrong(option: string, cure: string): never {
  throw new TypeError(`quartile: option "${option}" must be ${cure}`);
}

/** Checks options; a mistake is a `TypeError` that names the option and what it must be. */
export function settings(options: Options, load: Load): Settings {
  const { collector, site, consent = 'granted', identity = 'none', beforeSend, debug } = options ?? {};
  if (typeof collector !== 'string' || !/^(https?:\/\/[^/]|\/)/.test(collector)) {
    wrong('collector', 'an address like "https://stats.example.org"');
  }
  if (typeof site !== 'string' || !/^[\w.-]{1,64}$/.test(site)) {
    wrong('site', '1 to 64 letters, digits, ".", "_" and "-"');
  }
  const oneOf = (option: string, value: string, ...words: string[]) => words.includes(value) || wrong(option, words.join(' or '));
  oneOf('consent', consent, 'granted', 'pending', 'denied');
  oneOf('identity', identity, 'none', 'session', 'stored');
  if (beforeSend && typeof beforeSend !== 'function') wrong('beforeSend', 'a function');
  const text = (option: 'user' | 'viewer' | 'application') => {
    const value: unknown = options[option];
    if (value != null && typeof value !== 'string') wrong(option, 'a string');
    return cut(value, ID_BYTES);
  };
  return {
    url: `${collector.replace(/\/+$/, '')}/v1/collect`,
    site,
    user: text('user'),
    viewer: text('viewer'),
    application: text('application'),
    consent,
    identity,
    beforeSend,
    load,
    debug: debug === true,
  };
}
