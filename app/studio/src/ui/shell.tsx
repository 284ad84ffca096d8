import { lazyPage } from '../lib/lazy.js';
import { readNetwork } from '../lib/chain.js';
import { useLoaded, useStore } from '../lib/store.js';
import { disconnect, isChoosing, session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Code } from './parts.js';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

const WalletDialog = lazyPage(() => import('./wallet-dialog.js'));

const LINKS = [
  ['/studio/', texts.nav.home],
  ['/studio/register', texts.nav.register],
  ['/studio/works', texts.nav.works],
  ['/studio/earnings', texts.nav.earnings],
  ['/studio/catalogue', texts.nav.catalogue],
  ['/studio/inbox', texts.nav.inbox],
  ['/studio/receipts', texts.nav.receipts],
  ['/studio/platform', texts.nav.platform],
  ['/studio/operator', texts.nav.operator],
] as const;

/** Frame around each page. */
export function Shell({ path, children }: { path: string; children: ComponentChildren }) {
  const current = path === '/studio' ? '/studio/' : path;
  useEffect(() => document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [current]);
  return (
    <>
      <a class="skip" href="#main">{texts.skip}</a>
      <header>
        <div class="bar">
          <a class="brand" href="/studio/"><img src="/studio/icon.svg" alt="" width="28" height="28" />{texts.brand}</a>
          <WalletButton />
        </div>
        <nav aria-label={texts.menu}>
          {LINKS.map(([to, label]) => (
            <a key={to} href={to} aria-current={current === to ? 'page' : undefined}>{label}</a>
          ))}
        </nav>
        <NetworkNote />
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

function NetworkNote() {
  const { value } = useLoaded(readNetwork, []);
  const note = value ? texts.network[value.network] : '';
  return note === '' ? null : <p class="network">{note}</p>;
}
