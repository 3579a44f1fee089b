window.page = {
  media: () => video,
  change: () => player.load('https://media.example.org/swim/stream.mpd').catch(watched.failed),
};
