import type { Use } from '@motif/sdk';
import { useState } from 'preact/hooks';

import { auditWork, type AuditedChannel } from '../lib/audit.js';
import { currencyOf } from '../lib/chain.js';
import { claimAll } from '../lib/claims.js';
import { formatAmount, type Currency } from '../lib/money.js';
import { isGroupTitle } from '../lib/pool.js';
import { csvOf, earningsOf, hasProof, prove, usageCsv, usageOfAll, type PersonEarnings, type UsageBy, type Where } from '../lib/record.js';
import { save } from '../lib/save.js';
import { useLoaded, useReload } from '../lib/store.js';
import type { Session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { DayChart } from '../ui/chart.js';
import { Amount, Busy, Code, ErrorBox, Notice, Select, useAction, WithWallet } from '../ui/parts.js';
import { Title } from '../ui/works.js';

/** Where the money of a person's works is. */
export default function EarningsPage() {
  return (
    <>
      <h1>{texts.earnings.title}</h1>
      <p class="lead">{texts.earnings.intro}</p>
      <WithWallet>{(session) => <Earnings key={session.address} session={session} />}</WithWallet>
    </>
  );
}

const SEEN_WITHIN = 30_000;

async function loadEarnings(person: string) {
  const earnings = await earningsOf(person);
  const currencies = await Promise.all(earnings.totals.map(({ currency }) => currencyOf(currency)));
  return { earnings, currencies };
}

function Earnings({ session }: { session: Session }) {
  const loaded = useLoaded(() => loadEarnings(session.address), [session.address]);
  const proving = useAction();
  const { value } = loaded;
  useReload(loaded.reload);
  if (loaded.error !== undefined) return <ErrorBox error={loaded.error} onRetry={loaded.reload} />;
  if (!value) return <Busy />;
  const { earnings, currencies } = value;
  const showUnsettled = () => proving.run(async () => { await prove(session); loaded.reload(); });
  return (
    <>
      {!hasProof(session.address) && (
        <div class="card row">
          <p class="quiet">{texts.earnings.proveText}</p>
          <button type="button" disabled={proving.isBusy} onClick={showUnsettled}>{texts.earnings.prove}</button>
        </div>
      )}
      <ErrorBox error={proving.error} />
      {earnings.totals.length === 0 && <Notice>{texts.earnings.none}</Notice>}
      {earnings.totals.map((where, at) => (
        <Totals key={where.currency} where={where} currency={currencies[at]!} session={session} earnings={earnings} onClaimed={loaded.reload} />
      ))}
      {earnings.works.length > 0 && <ByWork earnings={earnings} />}
      {earnings.works.length > 0 && hasProof(session.address) && <History session={session} earnings={earnings} />}
      {earnings.works.length > 0 && hasProof(session.address) && <Audit session={session} earnings={earnings} />}
    </>
  );
}

interface TotalsProps {
  where: Where;
  currency: Currency;
  session: Session;
  earnings: PersonEarnings;
  onClaimed(): void;
}

function Totals({ where, currency, session, earnings, onClaimed }: TotalsProps) {
  const claiming = useAction();
  const [claimed, setClaimed] = useState<bigint>();
  const works = earnings.works.map(({ work }) => work);
  const claim = () =>
    claiming.run(async () => {
      if (!hasProof(session.address) && BigInt(where.settled) > 0n) await prove(session);
      const sent = await claimAll(session, works, currency);
      setClaimed(sent.length === 0 ? 0n : (await claimedLater(session.address, where)) - BigInt(where.claimed));
      onClaimed();
    });
  const figures = [
    ['vouched', texts.earnings.vouched, texts.earnings.vouchedText, where.vouched],
    ['settled', texts.earnings.settled, texts.earnings.settledText, where.settled],
    ['claimable', texts.earnings.claimable, texts.earnings.claimableText, where.claimable],
    ['claimed', texts.earnings.claimed, texts.earnings.claimedText, where.claimed],
  ] as const;
  const isEmpty = BigInt(where.settled) + BigInt(where.claimable) + BigInt(where.waiting) === 0n;
  return (
    <section>
      <dl class="figures">
        {figures.map(([key, label, text, amount]) => (
          <div key={key} data-figure={key} data-amount={amount ?? ''}>
            <dt>{label}</dt>
            <dd>{amount === null ? texts.earnings.hidden : formatAmount(amount, currency)}</dd>
            <dd class="quiet">{text}</dd>
          </div>
        ))}
      </dl>
      {BigInt(where.disputed) > 0n && <Notice tone="warn">{texts.earnings.disputed}: {formatAmount(where.disputed, currency)}</Notice>}
      <ErrorBox error={claiming.error} />
      {claimed !== undefined && <Notice tone="good">{claimed > 0n ? texts.earnings.done(formatAmount(claimed, currency)) : texts.earnings.nothing}</Notice>}
      <button type="button" class="primary big" disabled={claiming.isBusy || isEmpty} onClick={claim}>{texts.earnings.claim}</button>
      {claiming.isBusy && <Busy text={texts.earnings.claiming} />}
    </section>
  );
}

/** Returns what a person has claimed ever, once the gateway has seen the claim. */
async function claimedLater(person: string, { currency, claimed }: Where): Promise<bigint> {
  for (const begun = Date.now(); ; ) {
    const after = (await earningsOf(person)).totals.find((one) => one.currency === currency)?.claimed ?? '0';
    if (BigInt(after) > BigInt(claimed) || Date.now() - begun > SEEN_WITHIN) return BigInt(after);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

function ByWork({ earnings }: { earnings: PersonEarnings }) {
  const isEmpty = ({ vouched, settled, waiting, claimable, claimed }: Where) => [vouched ?? '0', settled, waiting, claimable, claimed].every((amount) => amount === '0');
  const rows = earnings.works
    .flatMap((work) => work.currencies.map((where) => ({ work, where })))
    .filter(({ work, where }) => !isGroupTitle(work.title) || !isEmpty(where));
  return (
    <section>
      <h2>{texts.earnings.byWork}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.earnings.byWork}>
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.earnings.work}</th>
              <th scope="col" class="number">{texts.earnings.vouched}</th>
              <th scope="col" class="number">{texts.earnings.settled}</th>
              <th scope="col" class="number">{texts.earnings.waiting}</th>
              <th scope="col" class="number">{texts.earnings.claimable}</th>
              <th scope="col" class="number">{texts.earnings.claimed}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ work, where }) => (
              <tr key={work.work + where.currency}>
                <th scope="row"><a href={`/w/${work.work}`}><Title work={work} /></a></th>
                <td class="number">{where.vouched === null ? '–' : <Amount amount={where.vouched} mint={where.currency} />}</td>
                {[where.settled, where.waiting, where.claimable, where.claimed].map((amount, at) => (
                  <td key={at} class="number"><Amount amount={amount} mint={where.currency} /></td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Proves that the receipts of a work are all that it was credited for. */
function Audit({ session, earnings }: { session: Session; earnings: PersonEarnings }) {
  const auditing = useAction();
  const [work, setWork] = useState(earnings.works[0]!.work);
  const [proved, setProved] = useState(0);
  const [channels, setChannels] = useState<readonly AuditedChannel[]>();
  const audit = () => {
    setChannels(undefined);
    setProved(0);
    auditing.run(async () => setChannels(await auditWork(work, session.address, setProved)));
  };
  const receipts = (channels ?? []).reduce((sum, one) => sum + one.receipts, 0);
  const options = earnings.works.filter(({ title }) => !isGroupTitle(title)).map((one) => [one.work, one.title || one.work] as const);
  return (
    <section>
      <h2>{texts.audit.title}</h2>
      <p class="quiet">{texts.audit.intro}</p>
      <div class="filters">
        <Select label={texts.earnings.work} value={work} onValue={setWork} options={options} />
        <button type="button" disabled={auditing.isBusy} onClick={audit}>{texts.audit.start}</button>
      </div>
      {auditing.isBusy && <Busy text={texts.audit.busy(proved)} />}
      <ErrorBox error={auditing.error} />
      {channels && <Notice tone="good"><span data-audited={receipts}>{channels.length === 0 ? texts.audit.none : texts.audit.done(receipts)}</span></Notice>}
      {channels?.map(({ channel, payer, mint, amount, receipts: count }) => (
        <p key={channel} data-audited-channel={channel} data-amount={String(amount)}>
          <Code value={payer} length={8} />: {texts.audit.row(count)} <Amount amount={amount} mint={mint} />
        </p>
      ))}
    </section>
  );
}

const ALL = '';

async function loadUsage(works: readonly string[], by: UsageBy, person: string) {
  const rows = await usageOfAll(works, by, person);
  const mints = [...new Set(rows.map(({ mint }) => mint))];
  return { rows, currencies: await Promise.all(mints.map(currencyOf)) };
}

function History({ session, earnings }: { session: Session; earnings: PersonEarnings }) {
  const [work, setWork] = useState(ALL);
  const [by, setBy] = useState<UsageBy>('day');
  const listed = earnings.works.filter(({ title }) => !isGroupTitle(title));
  const works = work === ALL ? listed.map((one) => one.work) : [work];
  const usage = useLoaded(() => loadUsage(works, by, session.address), [work, by, listed.length]);
  useReload(usage.reload);
  const downloading = useAction();
  const download = () =>
    downloading.run(async () => {
      const csv = work === ALL ? csvOf(usage.value?.rows ?? []) : await usageCsv(work, by, session.address);
      save(csv, 'text/csv', `usage-${work === ALL ? 'all' : work}-${by}.csv`);
    });
  const options = [[ALL, texts.earnings.allWorks] as const, ...listed.map((one) => [one.work, one.title || one.work] as const)];
  const rows = usage.value?.rows ?? [];
  return (
    <section>
      <h2>{texts.earnings.history}</h2>
      <div class="filters">
        <Select label={texts.earnings.historyOf} value={work} options={options} onValue={setWork} />
        <Select label={texts.earnings.by} value={by} options={Object.entries(texts.earnings.bys)} onValue={(to) => setBy(to as UsageBy)} />
      </div>
      <ErrorBox error={usage.error ?? downloading.error} onRetry={usage.reload} />
      {usage.value && rows.length === 0 && <p class="quiet">{texts.earnings.unused}</p>}
      {rows.length > 0 && (
        <>
          {by === 'day' && usage.value?.currencies.map((currency) => (
            <DayChart key={currency.mint} rows={rows.filter(({ mint }) => mint === currency.mint)} currency={currency} />
          ))}
          <div class="scroll" tabIndex={0} role="region" aria-label={texts.earnings.history}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{texts.earnings.bys[by]}</th>
                  <th scope="col" class="number">{texts.earnings.generations}</th>
                  <th scope="col" class="number">{texts.earnings.units}</th>
                  <th scope="col" class="number">{texts.earnings.earned}</th>
                  <th scope="col" class="number">{texts.earnings.ofItSettled}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.name + row.mint}>
                    <th scope="row">{by === 'use' ? texts.uses[row.name as Use] ?? row.name : by === 'platform' ? <Code value={row.name} length={6} /> : row.name}</th>
                    <td class="number">{row.generations}</td>
                    <td class="number">{row.units}</td>
                    <td class="number"><Amount amount={row.prices} mint={row.mint} /></td>
                    <td class="number"><Amount amount={row.settled} mint={row.mint} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <button type="button" disabled={downloading.isBusy} onClick={download}>{texts.earnings.csv}</button>
        </>
      )}
    </section>
  );
}
