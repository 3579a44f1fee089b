import Plyr from 'plyr';
import { init } from 'quartile';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const player = new Plyr('#player');
let view;
// Plyr makes another element for another source.
player.on('ready', () => {
  view?.stop();
  view = quartile.track(player.media);
});
