window.page = {
  media: () => view && player.media,
  change: () => (player.source = { type: 'video', sources: [{ src: 'https://media.example.org/swim/swim.mp4', type: 'video/mp4' }] }),
};
