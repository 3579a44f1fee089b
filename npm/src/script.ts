// For a script tag: `<script async src="https://stats.example.org/quartile.js" data-site="my-site"></script>`.
import { trackAll } from './auto.js';
import { init } from './index.js';
import type { Options, Quartile } from './types.js';

declare global {
  interface Window {
    quartile?: Quartile;
  }
}

// Known only while the script runs for the first time.
const script = (document.currentScript ?? document.querySelector('script[data-site]')) as HTMLScriptElement | null;

// A tag that was pasted twice tracks once.
if (!window.quartile && script) {
  const { site, collector, user, viewer, application, consent, identity, debug } = script.dataset;
  const quartile = init({
    collector: collector ?? new URL(script.src).origin,
    site: site ?? '',
    user,
    viewer,
    application,
    consent: consent as Options['consent'],
    identity: identity as Options['identity'],
    debug: debug !== undefined && debug !== 'false',
  });
  window.quartile = quartile;
  trackAll(quartile, document);
}
