import { init } from 'quartile';

const quartile = init({ collector: 'https://stats.example.org', site: 'my-site' });
quartile.track(document.querySelector('video'));
