import { MediaPlayer } from 'dashjs';
import { init } from 'quartile';
import { dash } from 'quartile/dash';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const video = document.querySelector('video');
const player = MediaPlayer().create();
player.initialize();
dash(quartile.track(video), player);
player.attachView(video);
player.attachSource('https://media.example.org/walk/stream.mpd');
