/** A React application tracks its videos with the hook and the component, mounted twice as StrictMode does it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { build } from 'esbuild';

import { watchBriefly } from '../harness/brief.ts';
import { settles } from '../harness/eventually.ts';
import { Stage } from '../harness/stage.ts';
import { page } from '../harness/templates.ts';

const stage = new Stage();

/** Opens a page with `element` in StrictMode; `mounts` counts how often effects are run. */
async function visit(name: string, collector: string, element: string) {
  const contents = `
    import { StrictMode, useCallback, useEffect, useRef, useState } from 'react';
    import { createRoot } from 'react-dom/client';
    import { Video, useQuartile, useVideo } from 'quartile/react';
    window.mounts = 0;
    function App() {
      const quartile = useQuartile({ collector: '${collector}', site: 'demo' });
      const [id, setId] = useState('intro');
      const meta = { video: { id } };
      const own = useRef(null);
      window.own = own;
      window.show = setId;
      useEffect(() => { mounts += 1; }, []);
      return ${element};
    }
    function Hooked({ quartile, meta, ...rest }) {
      return <video ref={useVideo(quartile, meta)} {...rest} />;
    }
    createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>);`;
  const { outputFiles } = await build({
    stdin: { contents, loader: 'jsx', resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    // Only what React is while one develops does StrictMode's double mount.
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  stage.site.route(`/${name}.js`, () => ({ type: 'text/javascript', body: outputFiles[0]!.text }));
  const body = '<div id="root"></div><script type="module" src="NAME.js"></script>';
  return stage.visitAddress(stage.site.add(name, page('', body.replace('NAME', name))));
}

const ELEMENTS = {
  hook: '<Hooked quartile={quartile} meta={meta} id="intro" src="/media/clip-8s.mp4" />',
  component: '<Video quartile={quartile} meta={meta} id="intro" src="/media/clip-8s.mp4" />',
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  test(`a video of the ${name} that is mounted twice is one view`, { timeout: 60_000 }, async () => {
    const collector = await stage.collector();
    const tab = await visit(name, collector.origin, element);
    await tab.until('window.mounts === 2 && document.querySelector("video")');
    await watchBriefly(tab, collector, 'intro');
    // React itself advertises its tools.
    assert.deepEqual(tab.complaints.filter((complaint) => !complaint.includes('react.dev')), []);
  });
}

test('the component gives its element to the ref of the application, too', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const object = await visit('object', collector.origin, '<Video ref={own} quartile={quartile} meta={meta} />');
  await object.until('own.current instanceof HTMLVideoElement');
  await object.close();

  // StrictMode calls a ref, undoes it and calls it again: by what it gave for that, or else with nothing.
  const called = (undo: string) => `<Video quartile={quartile} meta={meta}
    ref={useCallback((element) => { (window.calls ??= []).push(!!element); ${undo} }, [])} />`;
  for (const [name, undo, calls] of [
    ['plain', '', [true, false, true]],
    ['undone', 'return () => calls.push("undone");', [true, 'undone', true]],
  ] as const) {
    const tab = await visit(name, collector.origin, called(undo));
    await tab.until('window.mounts === 2');
    assert.deepEqual(await tab.run('calls'), calls);
    await tab.close();
  }
});

test('another id of the video is another view', { timeout: 60_000 }, async () => {
  const collector = await stage.collector();
  const tab = await visit('another', collector.origin, ELEMENTS.hook);
  await tab.until('document.querySelector("video")');
  await tab.play('intro');
  await tab.untilPosition('intro', 1);
  await tab.run('show("second")');
  await tab.untilPosition('intro', 2);
  await tab.close();
  await settles(async () => {
    const rows = await collector.report({ metrics: ['views', 'plays'], dimensions: ['video'] });
    assert.deepEqual(rows.map(({ video, views }) => [video, views]).sort(), [['intro', 1], ['second', 1]]);
  });
});
