import './style.css';

import { render } from 'preact';
import { useEffect } from 'preact/hooks';

import { lazyPage } from './lib/lazy.js';
import { path, startRouter } from './lib/router.js';
import { rules } from './lib/rules.js';
import { useStore } from './lib/store.js';
import { reconnect } from './lib/wallets.js';
import { texts } from './texts.js';
import { Shell } from './ui/shell.js';

const Home = lazyPage(() => import('./pages/drop.js'));
const Work = lazyPage(() => import('./pages/work.js'));
const Receipts = lazyPage(() => import('./pages/receipts.js'));
const PAGES = new Map([
  ['', Home],
  ['register', lazyPage(() => import('./pages/register.js'))],
  ['dataset', lazyPage(() => import('./pages/dataset.js'))],
  ['payouts', lazyPage(() => import('./pages/payouts.js'))],
  ['works', lazyPage(() => import('./pages/works.js'))],
  ['earnings', lazyPage(() => import('./pages/earnings.js'))],
  ['catalogue', lazyPage(() => import('./pages/catalogue.js'))],
  ['inbox', lazyPage(() => import('./pages/inbox.js'))],
  ['platform', lazyPage(() => import('./pages/platform.js'))],
  ['operator', lazyPage(() => import('./pages/operator.js'))],
]);

function App() {
  const at = useStore(path);
  useEffect(() => {
    const heading = document.querySelector('h1')?.textContent;
    if (heading) document.title = `${heading} · ${texts.brand}`;
  });
  return <Shell path={at}><Page at={at} /></Shell>;
}

function Page({ at }: { at: string }) {
  const [, area, name = ''] = /^\/(studio|w|r)\/?([^/]*)\/?$/.exec(at) ?? [];
  if (area === 'w') return <Work key={name} address={name} />;
  if (area === 'r') return <Receipts key={name} digest={name} />;
  if (area === 'studio' && name === 'receipts') return <Receipts digest="" />;
  const Known = area === 'studio' ? PAGES.get(name) : undefined;
  if (Known) return <Known />;
  return <><h1>{texts.notFound.title}</h1><p>{texts.notFound.text}</p><p><a href="/studio/">{texts.nav.home}</a></p></>;
}

startRouter();
rules().catch(() => undefined);
reconnect().catch(() => undefined);
render(<App />, document.getElementById('app')!);
