import type { Use } from '@motif/sdk';
import { useState } from 'preact/hooks';

import { currencies, gateway, listWorks, type WorkFacts } from '../lib/catalogue.js';
import { acceptTerms, openChannel, ownChannels, rotateKey, topUp, type OwnChannel, type Wanted } from '../lib/channels.js';
import { currencyOf, readBalance } from '../lib/chain.js';
import { formatAmount, parseAmount, type Currency } from '../lib/money.js';
import { useLoaded } from '../lib/store.js';
import type { Session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Amount, Busy, Code, ErrorBox, Field, Notice, Select, useAction, WithWallet } from '../ui/parts.js';
import { Playground } from '../ui/playground.js';

/** Channels, licenses and payments of a platform. */
export default function PlatformPage() {
  return (
    <>
      <h1>{texts.platform.title}</h1>
      <p class="lead">{texts.platform.intro}</p>
      <WithWallet>{(session) => <Platform key={session.address} session={session} />}</WithWallet>
    </>
  );
}

async function load(payer: string) {
  const [channels, works, [currency]] = await Promise.all([ownChannels(payer), licensable(), currencies()]);
  if (!currency) throw new Error('the gateway serves no currency');
  return { channels, works, currency, balance: await readBalance(payer, currency) };
}

/** Returns works that can be licensed; the one of the page's address first. */
async function licensable(): Promise<WorkFacts[]> {
  const wanted = new URLSearchParams(location.search).get('work');
  const works = (await listWorks({ status: 'active' })).filter(({ terms }) => terms !== undefined && terms !== null);
  // The gateway's list is some seconds old.
  if (wanted && !works.some(({ work }) => work === wanted)) works.push((await gateway.work(wanted)).work);
  return works.sort((one, other) => Number(other.work === wanted) - Number(one.work === wanted));
}

function Platform({ session }: { session: Session }) {
  const loaded = useLoaded(() => load(session.address), [session.address]);
  if (loaded.error !== undefined) return <ErrorBox error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.value) return <Busy />;
  const { channels, works, currency, balance } = loaded.value;
  return (
    <>
      <p class="quiet">{texts.wallet.balance}: {formatAmount(balance, currency)}</p>
      {channels.length === 0 && <Notice>{texts.platform.none}</Notice>}
      {channels.map((channel) => <ChannelCard key={channel.channel} channel={channel} works={works} session={session} onChanged={loaded.reload} />)}
      <OpenForm session={session} works={works} currency={currency} onOpened={loaded.reload} />
    </>
  );
}

/** Choice of a work and a use of it. */
function WorkUse({ works, wanted, onWanted }: { works: readonly WorkFacts[]; wanted: Wanted | undefined; onWanted(wanted: Wanted): void }) {
  const work = works.find((one) => one.work === wanted?.work) ?? works[0];
  const uses = work?.terms?.uses ?? [];
  const choose = (address: string) => {
    const use = works.find((one) => one.work === address)?.terms?.uses[0]?.use;
    if (use) onWanted({ work: address, use });
  };
  return (
    <>
      <Select label={texts.platform.work} value={work?.work ?? ''} options={works.map((one) => [one.work, one.title || one.work])} onValue={choose} />
      <Select
        label={texts.platform.use}
        value={wanted?.use ?? uses[0]?.use ?? ''}
        options={uses.map(({ use }) => [use, texts.uses[use]])}
        onValue={(use) => work && onWanted({ work: work.work, use: use as Use })}
      />
    </>
  );
}

function firstOf(works: readonly WorkFacts[]): Wanted | undefined {
  const [work] = works;
  const use = work?.terms?.uses[0]?.use;
  return work && use ? { work: work.work, use } : undefined;
}

interface OpenProps {
  session: Session;
  works: readonly WorkFacts[];
  currency: Currency;
  onOpened(): void;
}

function OpenForm({ session, works, currency, onOpened }: OpenProps) {
  const [deposit, setDeposit] = useState('5');
  const [wanted, setWanted] = useState(() => firstOf(works));
  const action = useAction();
  const amount = parseAmount(deposit, currency.decimals);
  const open = () => action.run(async () => { await openChannel(session, currency, amount!, wanted!); onOpened(); });
  return (
    <form class="card" onSubmit={(event) => { event.preventDefault(); if (amount && wanted) open(); }}>
      <h2>{texts.platform.open}</h2>
      <p class="quiet">{texts.platform.openText}</p>
      <div class="columns">
        <Field label={texts.platform.deposit} inputMode="decimal" value={deposit} onValue={setDeposit} />
        <WorkUse works={works} wanted={wanted} onWanted={setWanted} />
      </div>
      <ErrorBox error={action.error} />
      <button type="submit" class="primary" disabled={!amount || !wanted || action.isBusy}>{texts.platform.submit}</button>
      {action.isBusy && <Busy text={texts.platform.sending} />}
    </form>
  );
}

interface CardProps {
  channel: OwnChannel;
  works: readonly WorkFacts[];
  session: Session;
  onChanged(): void;
}

function ChannelCard({ channel, works, session, onChanged }: CardProps) {
  const currency = useLoaded(() => currencyOf(channel.mint), [channel.mint]).value;
  const titles = useLoaded(() => titlesOf(channel), [channel.licenses.length]).value;
  if (!currency) return <Busy />;
  return (
    <section class="card" data-channel={channel.channel}>
      <h2>{texts.platform.channel} <Code value={channel.channel} /></h2>
      <dl class="figures">
        <div><dt>{texts.platform.deposited}</dt><dd>{formatAmount(channel.deposited, currency)}</dd></div>
        <div><dt>{texts.platform.spent}</dt><dd>{formatAmount(channel.settled, currency)}</dd></div>
        <div><dt>{texts.platform.left}</dt><dd>{formatAmount(channel.free, currency)}</dd></div>
      </dl>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.platform.licenses}>
        <table>
          <thead><tr><th scope="col">{texts.platform.license}</th><th scope="col">{texts.platform.use}</th><th scope="col" class="number">{texts.platform.price}</th><th scope="col" class="number">{texts.platform.used}</th></tr></thead>
          <tbody>
            {channel.licenses.map(({ work, use, price, units }, index) => (
              <tr key={index}>
                <th scope="row"><a href={`/w/${work}`}>{titles?.[index] || `${work.slice(0, 6)}…`}</a></th>
                <td>{texts.uses[use as Use] ?? use}</td>
                <td class="number"><Amount amount={price} mint={channel.mint} /></td>
                <td class="number">{units}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {channel.isOurs
        ? <Playground channel={channel} titles={titles ?? []} currency={currency} onSettled={onChanged} />
        : <Rotate channel={channel.channel} session={session} onChanged={onChanged} />}
      <Manage channel={channel.channel} works={works} session={session} currency={currency} onChanged={onChanged} />
    </section>
  );
}

function titlesOf({ licenses }: OwnChannel): Promise<string[]> {
  return Promise.all(licenses.map(async ({ work }) => (await gateway.work(work)).work.title));
}

function Rotate({ channel, session, onChanged }: { channel: string; session: Session; onChanged(): void }) {
  const action = useAction();
  const rotate = () => action.run(async () => { await rotateKey(session, channel); onChanged(); });
  return (
    <div class="notice warn">
      <p>{texts.platform.otherKey} {texts.platform.rotateText}</p>
      <ErrorBox error={action.error} />
      <button type="button" disabled={action.isBusy} onClick={rotate}>{texts.platform.rotate}</button>
    </div>
  );
}

interface ManageProps {
  channel: string;
  works: readonly WorkFacts[];
  session: Session;
  currency: Currency;
  onChanged(): void;
}

function Manage({ channel, works, session, currency, onChanged }: ManageProps) {
  const [amount, setAmount] = useState('5');
  const [wanted, setWanted] = useState(() => firstOf(works));
  const action = useAction();
  const units = parseAmount(amount, currency.decimals);
  const change = (step: () => Promise<void>) => action.run(async () => { await step(); onChanged(); });
  return (
    <details>
      <summary>{texts.platform.topUp}, {texts.platform.addLicense}</summary>
      <div class="columns">
        <Field label={texts.platform.amount} inputMode="decimal" value={amount} onValue={setAmount} />
        <button type="button" disabled={!units || action.isBusy} onClick={() => change(() => topUp(session, channel, currency, units!))}>{texts.platform.topUp}</button>
      </div>
      <div class="columns">
        <WorkUse works={works} wanted={wanted} onWanted={setWanted} />
        <button type="button" disabled={!wanted || action.isBusy} onClick={() => change(() => acceptTerms(session, channel, currency, wanted!))}>{texts.platform.accept}</button>
      </div>
      <ErrorBox error={action.error} />
      {action.isBusy && <Busy text={texts.platform.sending} />}
    </details>
  );
}
