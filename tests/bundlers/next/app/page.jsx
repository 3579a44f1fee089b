'use client';
import { useEffect, useRef } from 'react';
import { init } from 'quartile';

// Also on the server, where it does nothing: a mistake here would fail the build, which renders this page.
const onServer = typeof window === 'undefined' && init({ collector: 'https://stats.example.org', site: 'demo' });

export default function Page() {
  const element = useRef(null);
  useEffect(() => {
    const collector = new URLSearchParams(location.search).get('collector');
    const view = init({ collector, site: 'demo' }).track(element.current);
    return () => view.stop();
  }, []);
  return <video ref={element} id="intro" data-video-id="intro" src="/media/clip-8s.mp4" data-server={String(!!onServer)} />;
}
