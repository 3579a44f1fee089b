import '@videojs/html/video/player';
import '@videojs/html/media/hls-video';
import { init } from 'quartile';
import { videojs as watch } from 'quartile/videojs';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const media = document.querySelector('hls-video');
watch(quartile.track(media), media);
