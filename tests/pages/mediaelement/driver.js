window.page = {
  media: () => document.querySelector('video'),
  change() {
    player.setSrc('https://media.example.org/swim/swim.mp4');
    player.load();
  },
};
