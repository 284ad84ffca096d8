import { Store } from './store.js';

/** Path of the page. */
export const path = new Store(location.pathname);

const OWN = /^\/(studio(\/|$)|w\/|r\/)/;

/** Opens a page of the studio. */
export function navigate(to: string): void {
  history.pushState(undefined, '', to);
  arrive();
}

function arrive(): void {
  path.set(location.pathname);
  scrollTo(0, 0);
}

/** Opens links to pages of the studio without loading the document again. */
export function startRouter(): void {
  addEventListener('popstate', arrive);
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a');
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || !OWN.test(link.pathname) || link.hash) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
