// What a developer writes who uses the package, whatever bundles it.
import { init } from 'quartile';

const parameters = new URLSearchParams(location.search);
const quartile = init({ collector: parameters.get('collector'), site: 'demo' });
quartile.track(document.querySelector('video'));
