// React: `<video ref={useVideo(useQuartile(options))} />`, or `<Video quartile={…} />`.
import { type ComponentProps, type ReactElement, type RefCallback, createElement, useCallback, useEffect, useMemo, useRef } from 'react';
import { init } from './index.js';
import type { Meta, Options, Quartile, View } from './types.js';

/** What tracks for a site: the same for every component that asks for the same collector and site. */
export function useQuartile(options: Options): Quartile {
  const { collector, site } = options;
  // Whatever else is in the options holds from the first call on, as with `init`.
  return useMemo(() => init(options), [collector, site]);
}

/**
 * A ref for a media element, or for a component that gives its media element. The element is tracked while it is there;
 * what React takes away and puts back within one turn, as StrictMode does, stays one view. Another `video.id` is another
 * view.
 */
export function useVideo(quartile: Quartile, meta?: Meta): RefCallback<HTMLMediaElement> {
  const view = useRef<View>(undefined);
  const said = useRef(meta);
  said.current = meta;
  const id = meta?.video?.id;
  useEffect(() => {
    if (id) view.current?.source(said.current?.video ?? {});
  }, [id]);
  return useCallback(
    (element: HTMLMediaElement | null) => {
      view.current?.stop();
      view.current = element ? quartile.track(element, said.current) : undefined;
    },
    [quartile],
  );
}

/** What `<video>` takes, its `ref` included, and who tracks it. */
export interface VideoProps extends ComponentProps<'video'> {
  quartile: Quartile;
  meta?: Meta;
}

/** A `<video>` that is tracked. */
export function Video({ quartile, meta, ref, ...video }: VideoProps): ReactElement {
  const track = useVideo(quartile, meta);
  const undo = useRef<void | (() => void)>(undefined);
  const both = useCallback(
    (element: HTMLVideoElement | null) => {
      track(element);
      if (typeof ref !== 'function') {
        if (ref) ref.current = element;
      } else if (element || !undo.current) {
        undo.current = ref(element);
      } else {
        // Who gave a way to undo it is not told by `null`.
        undo.current();
      }
    },
    [track, ref],
  );
  return createElement('video', { ...video, ref: both });
}
