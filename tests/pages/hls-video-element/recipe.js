import 'hls-video-element';
import { init } from 'quartile';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
// What it shows has an address that nobody else knows: say which video it is.
const view = quartile.track(document.querySelector('hls-video'), { video: { id: 'walk' } });
