window.page = {
  // What is asked to play before the player has given it an address is paused by that.
  media: () => document.querySelector('video[src]'),
  change: () => player.src({ src: 'https://media.example.org/swim/master.m3u8', type: 'application/x-mpegURL' }),
};
