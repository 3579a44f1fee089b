// How long texts may be on the wire, in bytes of UTF-8; a test holds these against the wire's own.
export const ID_BYTES = 200;
export const URL_BYTES = 2000;
export const TITLE_BYTES = 500;
export const WORD_BYTES = 100;
export const CUSTOM_NAMES = 20;

/** As much of a text as fits, whole characters only; undefined for what is no text or empty. */
export function cut(text: unknown, bytes: number): string | undefined {
  if (typeof text !== 'string' || !text) return undefined;
  // A NUL would end the text on its way into the module.
  const clean = text.replace(/\0/g, '');
  return clean.slice(0, new TextEncoder().encodeInto(clean, new Uint8Array(bytes)).read) || undefined;
}
