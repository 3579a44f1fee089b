// The same, with the module as a file of its own, as Vite names files.
import { init } from 'quartile/slim';
import wasm from 'quartile/quartile.wasm?url';

const parameters = new URLSearchParams(location.search);
const quartile = init({ collector: parameters.get('collector'), site: 'demo', wasm });
quartile.track(document.querySelector('video'));
