import type { WorkFacts } from '../lib/catalogue.js';
import { lazyPage } from '../lib/lazy.js';
import { formatAmount, type Currency } from '../lib/money.js';
import { useLoaded, useStore } from '../lib/store.js';
import { openTill, payLink, readTill, sweepTill } from '../lib/till.js';
import { session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Busy, Code, ErrorBox, useAction } from './parts.js';

export const Qr = lazyPage(() => import('./qr.js'));

/** Way to pay a work directly, without a license: by a wallet on a phone. */
export function Till({ work, currency }: { work: WorkFacts; currency: Currency }) {
  const current = useStore(session);
  const loaded = useLoaded(() => readTill(work.work, currency), [work.work]);
  const action = useAction();
  const till = loaded.value;
  const isOwner = current?.address === work.owner;
  if (!till || (!till.isOpen && !isOwner)) return null;
  const change = (step: () => Promise<void>) => action.run(async () => { await step(); loaded.reload(); });
  return (
    <div class="card">
      <h3>{texts.till.title}</h3>
      <p class="quiet">{texts.till.text}</p>
      {till.isOpen && <><Qr link={payLink(till.till, currency, work.title)} label={texts.till.title} /><p>{texts.till.address} <Code value={till.till} length={8} /></p></>}
      {till.isOpen && <p data-till={String(till.balance)}>{texts.till.balance}: <strong>{formatAmount(till.balance, currency)}</strong></p>}
      {!till.isOpen && current && <button type="button" disabled={action.isBusy} onClick={() => change(() => openTill(current, work.work, currency))}>{texts.till.open}</button>}
      {till.balance > 0n && current && <button type="button" disabled={action.isBusy} onClick={() => change(() => sweepTill(current, work.work, currency))}>{texts.till.sweep}</button>}
      <ErrorBox error={action.error} />
      {action.isBusy && <Busy text={texts.inbox.sending} />}
    </div>
  );
}
