// Every media element of a document, now or later, inside open shadow roots as well.
import type { Quartile, View } from './types.js';

/** A framework that moves an element takes it out and puts it back; only what stays away is gone. */
const GONE_MS = 1000;

/** Calls `meet` for each element in `node` and in the shadow roots that are in it now. */
function walk(node: Node, meet: (element: Element) => void): void {
  // A text has nothing in it.
  if (!('querySelectorAll' in node)) return;
  for (const element of [node as Element, ...(node as Element).querySelectorAll('*')]) {
    meet(element);
    if (element.shadowRoot) walk(element.shadowRoot, meet);
  }
}

/**
 * Tracks every `<video>` and `<audio>`, those that are added later as well, but for those with `data-quartile="off"`. Gives
 * what ends that.
 */
export function trackAll(quartile: Quartile, document: Document): () => void {
  const views = new WeakMap<Element, View>();
  const enter = (element: Element) => {
    const { localName, shadowRoot } = element;
    if (shadowRoot) observe(shadowRoot);
    if (element instanceof HTMLMediaElement) {
      if (element.isConnected && element.getAttribute('data-quartile') !== 'off') views.set(element, quartile.track(element));
    } else if (!shadowRoot && localName?.includes('-')) {
      // What is defined later has its shadow root then. Most are never defined, or have none: that keeps no element.
      const later = new WeakRef(element);
      customElements.whenDefined(localName).then(
        () => {
          const root = later.deref()?.shadowRoot;
          if (!root) return;
          observe(root);
          walk(root, enter);
        },
        // Not every name with a hyphen may be defined.
        () => {},
      );
    }
  };
  const leave = (element: Element) =>
    setTimeout(() => {
      if (!element.isConnected) views.get(element)?.stop();
    }, GONE_MS);
  const observer = new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) {
      addedNodes.forEach((node) => walk(node, enter));
      removedNodes.forEach((node) => walk(node, leave));
    }
  });
  const observe = (root: Node) => observer.observe(root, { childList: true, subtree: true });
  observe(document);
  walk(document, enter);
  return () => observer.disconnect();
}
