const media = document.querySelector('video');
window.page = {
  media: () => media,
  change: () => (media.src = 'https://media.example.org/swim/swim.mp4'),
};
