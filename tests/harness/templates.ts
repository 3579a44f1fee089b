/** The pages that videos are watched on. */

import { packageEntry } from './pages.ts';

export type Clip = 'clip-8s' | 'clip-60s';

/** A video element of a page. */
export interface VideoTag {
  /** What the site calls it: `data-video-id`; the element's own id as well. */
  id: string;
  clip: Clip;
}

export function video({ id, clip }: VideoTag): string {
  return `<video id="${id}" data-video-id="${id}" src="/media/${clip}.mp4" controls></video>`;
}

export function page(head: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page with videos</title>
<script src="/harness/in-page.js"></script>
${head}</head>
<body>${body}</body></html>`;
}

/** What the SDK's core is made of: both are to do the same. */
export const CORES = ['wasm', 'js'] as const;

export type Core = (typeof CORES)[number];

/** The script tag that people paste. */
export function scriptTag(collector: string, core: Core = 'wasm'): string {
  return `<script async src="${collector}/quartile.js" data-site="demo"${core === 'js' ? ' data-core="js"' : ''}></script>`;
}

/** A page with it. */
export function scriptTagPage(collector: string, videos: VideoTag[], core: Core = 'wasm'): string {
  return page(scriptTag(collector, core), videos.map(video).join('\n'));
}

/** What a developer writes to track every video of a page with the npm package. */
export function trackAll(collector: string): string {
  return `const quartile = init({ collector: '${collector}', site: 'demo' });
for (const video of document.querySelectorAll('video')) quartile.track(video);`;
}

/** A page whose own module imports the npm package; `code` runs after the import of `init`. */
export async function modulePage(code: string, videos: VideoTag[]): Promise<string> {
  const map = JSON.stringify({ imports: { quartile: await packageEntry() } });
  const module = `<script type="module">import { init } from 'quartile';\n${code}</script>`;
  return page(`<script type="importmap">${map}</script>`, `${videos.map(video).join('\n')}${module}`);
}
