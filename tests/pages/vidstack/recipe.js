import { init } from 'quartile';
import 'vidstack/player';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const player = document.querySelector('media-player');
let view;
// Vidstack makes the element that suits a source.
player.addEventListener('provider-setup', ({ detail: provider }) => {
  view?.stop();
  view = quartile.track(provider.media);
});
