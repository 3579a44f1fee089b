window.page = {
  media: () => video,
  change: () => (video.src = 'https://media.example.org/swim/master.m3u8'),
};
