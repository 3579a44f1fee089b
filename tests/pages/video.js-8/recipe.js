import { init } from 'quartile';
import { videojs as watch } from 'quartile/videojs';
import videojs from 'video.js';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const player = videojs('player');
watch(quartile.track(document.querySelector('video')), player);
player.src({ src: 'https://media.example.org/walk/master.m3u8', type: 'application/x-mpegURL' });
