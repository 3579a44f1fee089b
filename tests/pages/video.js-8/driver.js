window.page = {
  media: () => document.querySelector('video'),
  change: () => player.src({ src: 'https://media.example.org/swim/master.m3u8', type: 'application/x-mpegURL' }),
};
