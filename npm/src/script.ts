// For a script tag: `<script async src="https://stats.example.org/quartile.js" data-site="my-site"></script>`.
import { trackAll } from './auto.js';
import { begin } from './init.js';
import { inlined } from './inlined.js';
import { type Load, loader } from './loading.js';
import type { Options, Quartile } from './types.js';

/** Does something with what tracks the page. */
type Act = (quartile: Quartile) => void;

/** What a page calls that does not know whether the script has come: a list until then. */
interface Queue {
  push(act: Act): void;
}

declare global {
  interface Window {
    quartile?: Act[] | (Quartile & Queue);
  }
}

// Known only while the script runs for the first time.
const script = (document.currentScript ?? document.querySelector('script[data-site]')) as HTMLScriptElement | null;

/** The second file is where the first came from. */
const second: Load = async () => {
  const file = (await import(new URL(CORE, script?.src).href)) as typeof import('./quartile.core.js');
  return file.instantiate();
};

const called = window.quartile;

// A tag that was pasted twice tracks once.
if (script && (!called || Array.isArray(called))) {
  const { site, collector, user, viewer, application, consent, identity, core, debug } = script.dataset;
  const options = {
    collector: collector ?? new URL(script.src).origin,
    site: site ?? '',
    user,
    viewer,
    application,
    consent: consent as Options['consent'],
    identity: identity as Options['identity'],
    core: core as Options['core'],
    debug: debug !== undefined && debug !== 'false',
  };
  const page = begin(options, loader(inlined, second, options.core));
  let rest: (() => void) | undefined;
  const quartile: Quartile & Queue = {
    ...page,
    destroy() {
      rest?.();
      page.destroy();
    },
    push(act) {
      try {
        act(quartile);
      } catch (error) {
        // The site's own mistake, which it shall see, and nobody else notice.
        setTimeout(() => {
          throw error;
        });
      }
    },
  };
  window.quartile = quartile;
  called?.forEach(quartile.push);
  rest = trackAll(page, document);
}
