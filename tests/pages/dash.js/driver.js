window.page = {
  media: () => video,
  change: () => player.attachSource('https://media.example.org/swim/stream.mpd'),
};
