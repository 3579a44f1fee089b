// What the page and the browser say of themselves, as it is on the wire.
import { ID_BYTES, URL_BYTES, WORD_BYTES, cut } from './limits.js';

interface Hints {
  platform?: string;
  mobile?: boolean;
  getHighEntropyValues?(names: string[]): Promise<{ model?: string; platformVersion?: string }>;
}

type Browser = Navigator & {
  globalPrivacyControl?: boolean;
  userAgentData?: Hints;
  connection?: { effectiveType?: string };
};

const browser = () => navigator as Browser;

/** Whether the visitor asked not to be recognised (Global Privacy Control). */
export const isPrivate = () => browser().globalPrivacyControl === true;

/** A UUID; `crypto.randomUUID` is missing from pages without TLS. */
export function randomId(): string {
  const digit = () => (crypto.getRandomValues(new Uint8Array(1))[0]! & 15).toString(16);
  return '00000000-0000-4000-a000-000000000000'.replace(/0/g, digit);
}

/** The page. Queries and fragments may hold what is nobody's business, so only the campaign is taken from them. */
export function page(application: string | undefined) {
  const bare = (address: string) => cut(address.split(/[?#]/)[0], URL_BYTES);
  const query = new URLSearchParams(isPrivate() ? '' : location.search);
  const campaign = (name: string) => cut(query.get(`utm_${name}`), ID_BYTES);
  return {
    url: bare(location.href),
    referrer: bare(document.referrer),
    language: cut(navigator.language, WORD_BYTES),
    timezone: cut(Intl.DateTimeFormat().resolvedOptions().timeZone, WORD_BYTES),
    application,
    utm_source: campaign('source'),
    utm_medium: campaign('medium'),
    utm_campaign: campaign('campaign'),
  };
}

/** The device. What the browser tells late is filled in when it does. */
export function client() {
  const { userAgentData: hints, connection, maxTouchPoints } = browser();
  const known: Record<string, unknown> = {
    gpc: isPrivate(),
    platform: cut(hints?.platform, WORD_BYTES),
    mobile: hints?.mobile,
    connection: cut(connection?.effectiveType, WORD_BYTES),
    touch_points: maxTouchPoints && Math.min(maxTouchPoints, 255),
  };
  const late = async () => {
    const told = await hints?.getHighEntropyValues?.(['model', 'platformVersion']);
    known.model = cut(told?.model, WORD_BYTES);
    known.platform_version = cut(told?.platformVersion, WORD_BYTES);
  };
  late().catch(() => {});
  return known;
}
