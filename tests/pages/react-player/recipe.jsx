import { createRoot } from 'react-dom/client';
import ReactPlayer from 'react-player';
import { useQuartile, useVideo } from 'quartile/react';

function Watch({ src }) {
  const quartile = useQuartile({ collector: 'https://stats.example.org', site: 'my-site' });
  return <ReactPlayer ref={useVideo(quartile)} src={src} controls />;
}

const root = createRoot(document.getElementById('root'));
root.render(<Watch src="https://media.example.org/walk/walk.mp4" />);
