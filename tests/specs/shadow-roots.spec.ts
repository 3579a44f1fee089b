/** Players hide their video in a shadow root: the script tag finds it, whenever the player comes to be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';

/** Makes an element of this name whose shadow root holds a video. */
const DEFINE = (name: string, video: string) => `customElements.define('${name}', class extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' }).innerHTML =
      '<p><video data-video-id="${video}" src="/media/clip-8s.mp4" muted></video></p>';
  }
});`;

const PLAY = (name: string) => `document.querySelector('${name}').shadowRoot.querySelector('video').play()`;

const stage = new Stage();

test('videos in shadow roots are tracked: there before, defined later, added later, nested', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const visit = await stage.visit(collector.origin, []);
  await visit.until('window.quartile');
  await visit.run(`document.body.insertAdjacentHTML('beforeend', '<x-late></x-late>');`);
  await visit.run(DEFINE('x-late', 'late'));
  await visit.run(DEFINE('x-added', 'added'));
  await visit.run(`document.body.append(document.createElement('x-added'))`);
  await visit.run(`customElements.define('x-outer', class extends HTMLElement {
    connectedCallback() { this.attachShadow({ mode: 'open' }).innerHTML = '<div></div>'; }
  });
  document.body.append(document.createElement('x-outer'));
  document.querySelector('x-outer').shadowRoot.querySelector('div').attachShadow({ mode: 'open' });`);
  await visit.run(`new Promise((turn) => setTimeout(turn)).then(() => {
    const inner = document.createElement('x-inner');
    document.querySelector('x-outer').shadowRoot.append(inner);
  })`);
  await visit.run(DEFINE('x-inner', 'inner'));
  await visit.run(`Promise.all([${PLAY('x-late')}, ${PLAY('x-added')},
    document.querySelector('x-outer').shadowRoot.querySelector('x-inner').shadowRoot.querySelector('video').play()])`);
  await visit.until(`document.querySelector('x-late').shadowRoot.querySelector('video').ended`);
  await visit.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: ['plays'], dimensions: ['video'] });
    const plays = Object.fromEntries(rows.map((row) => [row['video'], row['plays']]));
    assert.deepEqual(plays, { late: 1, added: 1, inner: 1 });
  });
  assert.deepEqual(visit.complaints, []);
});
