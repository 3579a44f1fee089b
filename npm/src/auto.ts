// Every media element of a document, now or later.
import type { Quartile, View } from './types.js';

const MEDIA = 'video, audio';

/** A framework that moves an element takes it out and puts it back; only what stays away is gone. */
const GONE_MS = 1000;

/** Tracks every `<video>` and `<audio>`, those that are added later as well, but for those with `data-quartile="off"`. */
export function trackAll(quartile: Quartile, root: Document): void {
  const views = new WeakMap<HTMLMediaElement, View>();
  const each = (node: Node, act: (element: HTMLMediaElement) => void) => {
    if (node instanceof HTMLMediaElement) act(node);
    else if (node instanceof Element || node instanceof Document) node.querySelectorAll<HTMLMediaElement>(MEDIA).forEach(act);
  };
  const added = (element: HTMLMediaElement) => {
    if (element.isConnected && element.getAttribute('data-quartile') !== 'off') views.set(element, quartile.track(element));
  };
  const removed = (element: HTMLMediaElement) => {
    setTimeout(() => {
      if (!element.isConnected) views.get(element)?.stop();
    }, GONE_MS);
  };
  new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) {
      addedNodes.forEach((node) => each(node, added));
      removedNodes.forEach((node) => each(node, removed));
    }
  }).observe(root, { childList: true, subtree: true });
  each(root, added);
}
