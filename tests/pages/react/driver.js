window.page = {
  media: () => document.querySelector('video'),
  change: () => root.render(<Watch src="https://media.example.org/swim/swim.mp4" />),
};
