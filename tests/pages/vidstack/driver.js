window.page = {
  media: () => view && player.querySelector('video'),
  change: () => (player.src = 'https://media.example.org/swim/swim.mp4'),
};
