import { useEffect, useRef } from 'preact/hooks';

import { useLoaded, useStore } from '../lib/store.js';
import { connect, isChoosing, listWallets, watchWallets } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Busy, ErrorBox, useAction } from './parts.js';

/** Dialog in which a wallet is chosen. */
export default function WalletDialog() {
  const isOpen = useStore(isChoosing);
  const dialog = useRef<HTMLDialogElement>(null);
  const wallets = useLoaded(() => (isOpen ? listWallets() : Promise.resolve([])), [isOpen]);
  const action = useAction();
  useEffect(() => watchWallets(wallets.reload), []);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const choices = wallets.value ?? [];
  return (
    <dialog ref={dialog} aria-labelledby="wallet-title" onClose={() => isChoosing.set(false)}>
      <h2 id="wallet-title">{texts.wallet.title}</h2>
      <p class="quiet">{texts.wallet.intro}</p>
      <ErrorBox error={wallets.error ?? action.error} />
      {wallets.isLoading && <Busy />}
      <ul class="plain">
        {choices.map(({ wallet, isUsable }) => (
          <li key={wallet.name}>
            <button
              type="button"
              class="wide"
              disabled={!isUsable || action.isBusy}
              onClick={() => action.run(() => connect(wallet))}
            >
              {wallet.name}
            </button>
            {!isUsable && <small>{texts.wallet.other}</small>}
            {wallet.name.startsWith('Test ') && <small>{texts.wallet.burner}</small>}
          </li>
        ))}
      </ul>
      {!wallets.isLoading && choices.length === 0 && <p>{texts.wallet.none}</p>}
      {action.isBusy && <Busy />}
      <button type="button" onClick={() => isChoosing.set(false)}>{texts.close}</button>
    </dialog>
  );
}
