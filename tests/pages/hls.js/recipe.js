import Hls from 'hls.js';
import { init } from 'quartile';
import { hls } from 'quartile/hls';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const video = document.querySelector('video');
const engine = new Hls();
hls(quartile.track(video), engine);
engine.loadSource('https://media.example.org/walk/master.m3u8');
engine.attachMedia(video);
