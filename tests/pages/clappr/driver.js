window.page = {
  media: () => player.core.activePlayback.el,
  change: () => player.load('https://media.example.org/swim/swim.mp4'),
};
