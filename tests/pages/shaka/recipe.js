import { init } from 'quartile';
import { shaka } from 'quartile/shaka';
import Shaka from 'shaka-player';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const video = document.querySelector('video');
const player = new Shaka.Player();
await player.attach(video);
const watched = shaka(quartile.track(video), player);
player.load('https://media.example.org/walk/stream.mpd').catch(watched.failed);
