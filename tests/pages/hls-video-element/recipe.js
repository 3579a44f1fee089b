import 'hls-video-element';
import { init } from 'quartile';
import { hls } from 'quartile/hls';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const video = document.querySelector('hls-video');
hls(quartile.track(video), video);
