const media = document.querySelector('audio');
window.page = {
  media: () => media,
  change: () => (media.src = 'https://media.example.org/swim/swim.m4a'),
};
