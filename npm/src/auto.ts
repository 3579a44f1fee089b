// Every media element of a document, now or later, inside open shadow roots as well.
import type { Quartile, View } from './types.js';

/** A framework that moves an element takes it out and puts it back; only what stays away is gone. */
const GONE_MS = 1000;

type Root = Document | ShadowRoot;

/** Calls `media` for each media element in `node`, and `root` for each shadow root that is in it now. */
function walk(node: Node, media: (element: HTMLMediaElement) => void, root: (root: ShadowRoot) => void): void {
  if (!(node instanceof Element || node instanceof Document || node instanceof ShadowRoot)) return;
  for (const element of [node, ...node.querySelectorAll('*')]) {
    const { shadowRoot } = element as Element;
    if (element instanceof HTMLMediaElement) media(element);
    if (!shadowRoot) continue;
    root(shadowRoot);
    walk(shadowRoot, media, root);
  }
}

/** Tracks every `<video>` and `<audio>`, those that are added later as well, but for those with `data-quartile="off"`. */
export function trackAll(quartile: Quartile, document: Document): void {
  const views = new WeakMap<HTMLMediaElement, View>();
  const added = (element: HTMLMediaElement) => {
    if (element.isConnected && element.getAttribute('data-quartile') !== 'off') views.set(element, quartile.track(element));
  };
  const removed = (element: HTMLMediaElement) => {
    setTimeout(() => {
      if (!element.isConnected) views.get(element)?.stop();
    }, GONE_MS);
  };
  const observer = new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) {
      addedNodes.forEach(enter);
      removedNodes.forEach((node) => walk(node, removed, () => {}));
    }
  });
  const observe = (root: Root) => observer.observe(root, { childList: true, subtree: true });
  /** Elements that are defined later have their shadow root then. */
  const enter = (node: Node) => {
    walk(node, added, observe);
    if (!(node instanceof Element || node instanceof Document)) return;
    for (const element of [node, ...node.querySelectorAll(':not(:defined)')]) {
      const name = (element as Element).localName;
      if (name?.includes('-')) void customElements.whenDefined(name).then(() => walk(element, added, observe));
    }
  };
  observe(document);
  enter(document);
}
