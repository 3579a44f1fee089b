import Clappr from '@clappr/player';
import { init } from 'quartile';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const player = new Clappr.Player({ parentId: '#player', source: 'https://media.example.org/walk/walk.mp4' });
let view;
// Clappr makes another element for another source.
const follow = () => {
  view?.stop();
  view = quartile.track(player.core.activePlayback.el);
};
player.core.on(Clappr.Events.CORE_ACTIVE_CONTAINER_CHANGED, follow);
follow();
