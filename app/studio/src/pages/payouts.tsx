import { useEffect, useMemo, useState } from 'preact/hooks';

import { currencies, gateway, listWorks } from '../lib/catalogue.js';
import { currencyOf, readBalance } from '../lib/chain.js';
import { formatAmount, parseAmount, type Currency } from '../lib/money.js';
import { dropPayout, isPaid, keptPayout, newPayout, pay, readPayments, receiptOf, type Payment, type Payout } from '../lib/payouts.js';
import { isGroup } from '../lib/pool.js';
import { save } from '../lib/save.js';
import { useLoaded, useReload } from '../lib/store.js';
import type { Session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Area, Busy, Code, ErrorBox, Field, FileZone, Notice, Select, useAction, WithWallet } from '../ui/parts.js';

/** Pays people for tasks. */
export default function PayoutsPage() {
  return (
    <>
      <h1>{texts.payouts.title}</h1>
      <p class="lead">{texts.payouts.intro}</p>
      <WithWallet>{(session) => <Payouts key={session.address} session={session} />}</WithWallet>
    </>
  );
}

async function load(person: string) {
  const [works, [currency]] = await Promise.all([listWorks({ owner: person }), currencies()]);
  if (!currency) throw new Error('the gateway serves no currency');
  return { works: works.filter((work) => !isGroup(work)).reverse(), currency, balance: await readBalance(person, currency) };
}

function Payouts({ session }: { session: Session }) {
  const loaded = useLoaded(() => load(session.address), [session.address]);
  const [payout, setPayout] = useState(() => keptPayout(session.address));
  useReload(loaded.reload);
  if (loaded.error !== undefined) return <ErrorBox error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.value) return <Busy />;
  const { works, currency, balance } = loaded.value;
  const restart = () => {
    dropPayout(session.address);
    setPayout(undefined);
    loaded.reload();
  };
  if (payout) return <Running key={payout.id} session={session} begun={payout} onRestart={restart} />;
  if (works.length === 0) return <Notice>{texts.payouts.noWork}</Notice>;
  return <List works={works.map(({ work, title }) => [work, title || work] as const)} currency={currency} balance={balance} onPayout={setPayout} />;
}

interface ListProps {
  works: readonly (readonly [work: string, title: string])[];
  currency: Currency;
  balance: bigint;
  onPayout(payout: Payout): void;
}

const MOST_SHOWN = 8;
type Mode = keyof typeof texts.payouts.modes;

function List({ works, currency, balance, onPayout }: ListProps) {
  const [work, setWork] = useState(works[0]![0]);
  const [mode, setMode] = useState<Mode>('amounts');
  const [rate, setRate] = useState('0.05');
  const [list, setList] = useState('');
  const action = useAction();
  const unit = mode === 'tasks' ? parseAmount(rate, currency.decimals) : undefined;
  const isRate = mode === 'amounts' || (unit !== undefined && unit > 0n);
  const { payments, errors } = useMemo(() => readPayments(list, currency.decimals, mode === 'tasks' ? (unit ?? 0n) : undefined), [list, currency, mode, unit]);
  const total = payments.reduce((sum, { amount }) => sum + amount, 0n);
  const isReady = isRate && errors.length === 0 && payments.length > 0 && total <= balance && !action.isBusy;
  const submit = () => action.run(async () => onPayout(await newPayout(work, currency.mint, payments)));
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (isReady) submit(); }}>
      <div class="columns">
        <Select label={texts.payouts.work} value={work} options={works} onValue={setWork} />
        <Select label={texts.payouts.mode} value={mode} options={Object.entries(texts.payouts.modes)} onValue={(to) => setMode(to as Mode)} />
        {mode === 'tasks' && <Field label={texts.payouts.rate} inputMode="decimal" value={rate} error={isRate ? undefined : texts.payouts.badRate} onValue={setRate} />}
      </div>
      <p class="quiet">{texts.payouts.workHelp}</p>
      <fieldset>
        <legend>{texts.payouts.list}</legend>
        <FileZone label={texts.pool.listFile} hint={texts.payouts.listPrivacy} accept=".csv,.txt,text/csv,text/plain" onFile={(file) => action.run(async () => setList(await file.text()))} />
        <Area label={texts.payouts.list} help={mode === 'tasks' ? texts.payouts.tasksHelp : texts.payouts.amountsHelp} isCode rows={6} value={list} onValue={setList} />
        {errors.length > 0 && isRate && <ul class="bad" role="alert">{errors.map((error) => <li key={error}>{error}</li>)}</ul>}
      </fieldset>
      {payments.length > 0 && isRate && <Table payments={payments} currency={currency} />}
      {total > balance && <p class="bad" role="status">{texts.payouts.tooLittle(formatAmount(balance, currency))}</p>}
      <p class="quiet">{texts.payouts.costs}</p>
      <ErrorBox error={action.error} />
      <button type="submit" class="primary big" disabled={!isReady}>{texts.payouts.submit(formatAmount(total, currency))}</button>
    </form>
  );
}

function Table({ payments, currency }: { payments: readonly Payment[]; currency: Currency }) {
  const total = payments.reduce((sum, { amount }) => sum + amount, 0n);
  const hasTasks = payments.some(({ tasks }) => tasks !== undefined);
  return (
    <section class="card">
      <h2>{texts.payouts.summary(payments.length, formatAmount(total, currency))}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.payouts.list}>
        <table>
          <thead><tr><th scope="col">{texts.payouts.person}</th>{hasTasks && <th scope="col" class="number">{texts.payouts.tasks}</th>}<th scope="col" class="number">{texts.payouts.amount}</th></tr></thead>
          <tbody>
            {payments.slice(0, MOST_SHOWN).map(({ recipient, amount, tasks }) => (
              <tr key={recipient}><th scope="row"><Code value={recipient} length={6} /></th>{hasTasks && <td class="number">{tasks}</td>}<td class="number">{formatAmount(amount, currency)}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      {payments.length > MOST_SHOWN && <p class="quiet">{texts.payouts.rest(payments.length - MOST_SHOWN)}</p>}
    </section>
  );
}

/** Payout that is being paid, was paid, or was left by a closed tab. */
function Running({ session, begun, onRestart }: { session: Session; begun: Payout; onRestart(): void }) {
  // What was signed before counts once it is found on chain.
  const [payout, setPayout] = useState<Payout>({ ...begun, batches: [] });
  const loaded = useLoaded(() => currencyOf(begun.mint), [begun.mint]);
  const currency = loaded.value;
  const action = useAction();
  const run = () =>
    action.run(async () => {
      const known = await currencyOf(begun.mint);
      // One tab pays at a time, from what is kept: the kept payout has all signatures.
      await navigator.locks.request(`motif-payout ${session.address}`, async () => {
        setPayout(await pay(session, keptPayout(session.address) ?? begun, known, setPayout));
      });
    });
  useEffect(() => {
    if (begun.batches.length === 0 && keptPayout(session.address) === undefined) run();
  }, []);
  if (loaded.error !== undefined) return <ErrorBox error={loaded.error} onRetry={loaded.reload} />;
  if (!currency) return <Busy />;
  const { payments, batches } = payout;
  const done = batches.reduce((sum, { from, to }) => sum + to - from, 0);
  const total = payments.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const isComplete = isPaid(payout) && !action.isBusy && action.error === undefined;
  const download = async () => {
    const { title } = (await gateway.work(payout.work)).work;
    save(receiptOf(session.address, payout, title), 'application/json', `payout-${payout.id.slice(0, 8)}.json`);
  };
  return (
    <section class="card" data-payout={payout.id}>
      {isComplete && <Notice tone="good"><span data-complete>{texts.payouts.done(payments.length, formatAmount(total, currency))}</span></Notice>}
      {!isComplete && <><h2>{texts.payouts.begun}</h2><p>{texts.payouts.summary(payments.length, formatAmount(total, currency))}. {texts.payouts.begunText}</p></>}
      {!isComplete && <p role="status" data-paid={done}>{texts.payouts.progress(done, payments.length)}</p>}
      <ErrorBox error={action.error} />
      {action.isBusy && <Busy text={texts.payouts.sending} />}
      <div class="row">
        {!isComplete && <button type="button" class="primary" disabled={action.isBusy} onClick={run}>{texts.payouts.resume}</button>}
        {done > 0 && <button type="button" class={isComplete ? 'primary' : ''} disabled={action.isBusy} onClick={() => void download()}>{texts.payouts.receipt}</button>}
        {isComplete && <button type="button" onClick={onRestart}>{texts.payouts.another}</button>}
      </div>
    </section>
  );
}
