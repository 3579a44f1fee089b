import 'mediaelement';
import { init } from 'quartile';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
const player = new MediaElementPlayer('player', {
  success: (media, video) => quartile.track(video),
});
