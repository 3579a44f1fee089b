window.page = {
  media: () => video,
  change: () => engine.loadSource('https://media.example.org/swim/master.m3u8'),
};
