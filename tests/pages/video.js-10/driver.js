window.page = {
  media: () => media,
  change: () => (media.src = 'https://media.example.org/swim/master.m3u8'),
};
