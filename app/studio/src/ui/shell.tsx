import { RefusedError } from '@motif/sdk';

import { lazyPage } from '../lib/lazy.js';
import { readNetwork } from '../lib/chain.js';
import { useLoaded, useStore } from '../lib/store.js';
import { disconnect, isChoosing, session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Code } from './parts.js';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

const WalletDialog = lazyPage(() => import('./wallet-dialog.js'));

const OPERATOR = '/studio/operator';
const LINKS = [
  ['/studio/', texts.nav.home],
  ['/studio/register', texts.nav.register],
  ['/studio/works', texts.nav.works],
  ['/studio/earnings', texts.nav.earnings],
  ['/studio/catalogue', texts.nav.catalogue],
  ['/studio/inbox', texts.nav.inbox],
  ['/studio/receipts', texts.nav.receipts],
  ['/studio/platform', texts.nav.platform],
  [OPERATOR, texts.nav.operator],
] as const;

/** Frame around each page. */
export function Shell({ path, children }: { path: string; children: ComponentChildren }) {
  const current = path === '/studio' ? '/studio/' : path;
  // The admin listener serves the operator's page only.
  const network = useLoaded(readNetwork, []);
  const isAdmin = network.error instanceof RefusedError && network.error.problem.status === 404;
  const links = isAdmin ? LINKS.filter(([to]) => to === OPERATOR) : LINKS;
  useEffect(() => document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [current]);
  return (
    <>
      <a class="skip" href="#main">{texts.skip}</a>
      <header>
        <div class="bar">
          <a class="brand" href="/studio/"><img src="/studio/icon.svg" alt="" width="28" height="28" />{texts.brand}</a>
          {!isAdmin && <WalletButton />}
        </div>
        <nav aria-label={texts.menu}>
          {links.map(([to, label]) => (
            <a key={to} href={to} aria-current={current === to ? 'page' : undefined}>{label}</a>
          ))}
        </nav>
        {network.value && texts.network[network.value.network] !== '' && <p class="network">{texts.network[network.value.network]}</p>}
      </header>
      <main id="main" tabIndex={-1}>{children}</main>
      <footer><p>{texts.footer}</p></footer>
      <WalletDialog />
    </>
  );
}

function WalletButton() {
  const current = useStore(session);
  if (!current) {
    return <button type="button" class="primary" onClick={() => isChoosing.set(true)}>{texts.wallet.connect}</button>;
  }
  return (
    <div class="wallet">
      <span class="quiet wide-only">{current.wallet.name}</span>
      <Code value={current.address} />
      <button type="button" onClick={disconnect}>{texts.wallet.disconnect}</button>
    </div>
  );
}
