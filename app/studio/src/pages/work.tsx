import type { Use } from '@motif/sdk';
import { useState } from 'preact/hooks';

import { gateway, readOperator, type WorkFacts } from '../lib/catalogue.js';
import { currencyOf } from '../lib/chain.js';
import { formatAmount, formatBps, type Currency } from '../lib/money.js';
import { readMetadata } from '../lib/record.js';
import { useRules } from '../lib/rules.js';
import { snippetsOf, type Language } from '../lib/snippets.js';
import { useLoaded } from '../lib/store.js';
import { texts } from '../texts.js';
import { termsSummary } from '../lib/terms-of-work.js';
import { Amount, Busy, Code, ErrorBox, Field, Notice, Select, Text, Time } from '../ui/parts.js';
import { Qr, Till } from '../ui/till.js';
import { Picture, Status, Title } from '../ui/works.js';

type Details = Awaited<ReturnType<typeof gateway.work>>;

/** Public page of a work. */
export default function WorkPage({ address }: { address: string }) {
  const { value, error, reload } = useLoaded(() => gateway.work(address), [address]);
  if (error !== undefined) return <><h1>{texts.nav.catalogue}</h1><ErrorBox error={error} onRetry={reload} /></>;
  if (!value) return <Busy />;
  return <Details {...value} />;
}

function Details({ work, parents, children, dispute, earnings }: Details) {
  const metadata = useLoaded(() => readMetadata(work.metadata_digest), [work.metadata_digest]).value;
  const currency = useLoaded(async () => (work.terms ? currencyOf(work.terms.currency) : undefined), [work.work]).value;
  return (
    <article class="work-page">
      <div class="hero">
        <Picture work={work} size="large" />
        <div>
          <h1><Title work={work} /></h1>
          <p class="quiet">{texts.kinds[work.kind]} {texts.work.by} {metadata?.creator ? <Text value={metadata.creator} /> : <Code value={work.creator} />} <Status status={work.status} /></p>
          {metadata?.description && <p><Text value={metadata.description} /></p>}
          {metadata?.links.map((link) => <p key={link}><a href={link} rel="noopener noreferrer nofollow" target="_blank"><Text value={link} /></a></p>)}
          {dispute && <Notice tone="warn"><strong>{texts.work.dispute}</strong><p>{texts.work.disputeText(new Date(dispute.deadline * 1_000).toLocaleString())}</p></Notice>}
          {earnings.map(({ currency: mint, earned }) => <p key={mint}>{texts.work.earned}: <strong><Amount amount={earned} mint={mint} /></strong></p>)}
        </div>
      </div>
      {work.terms && currency ? <Terms work={work} currency={currency} /> : <section><h2>{texts.work.terms}</h2><p>{work.terms ? texts.loading : texts.work.noTerms}</p></section>}
      <section>
        <h2>{texts.work.split}</h2>
        <ul class="bars-list">
          {work.parents.map(({ work: parent, share_bps }) => <Bar key={parent} bps={share_bps}><a href={`/w/${parent}`}>{texts.work.parents} {parent.slice(0, 6)}…</a></Bar>)}
          {work.split.map(({ recipient, share_bps }) => <Bar key={recipient} bps={share_bps}><Code value={recipient} /></Bar>)}
        </ul>
      </section>
      <Relatives title={texts.work.parents} works={parents} />
      <Relatives title={texts.work.children} works={children} />
      <Snippets work={work} />
      <section>
        <h2>{texts.work.share}</h2>
        <div class="two">
          <div class="card">
            <h3>{texts.qr.page}</h3>
            <Qr link={`${location.origin}/w/${work.work}`} label={texts.qr.page} />
            <p><Code value={`${location.origin}/w/${work.work}`} length={22} /></p>
          </div>
          {currency && <Till work={work} currency={currency} />}
        </div>
      </section>
      <Facts work={work} />
    </article>
  );
}

function Bar({ bps, children }: { bps: number; children: preact.ComponentChildren }) {
  return (
    <li>
      <span>{children}</span>
      <meter min={0} max={10_000} value={bps} aria-hidden="true" />
      <span class="number">{formatBps(bps)}</span>
    </li>
  );
}

function Terms({ work, currency }: { work: WorkFacts; currency: Currency }) {
  const core = useRules();
  const terms = work.terms!;
  const [use, setUse] = useState<Use>(terms.uses[0]?.use ?? 'generate');
  const [units, setUnits] = useState('1000');
  const operator = useLoaded(readOperator, []).value;
  const summary = useLoaded(() => termsSummary(work.work, terms.number, currency), [work.work, terms.number]);
  const priced = terms.uses.find((one) => one.use === use);
  const count = /^\d{1,9}$/.test(units) ? Number(units) : 0;
  const charge = core && priced && operator && count > 0
    ? core.call('price.quote', { price: priced.price, units: count, free_units: String(terms.free_units), operator_fee_bps: operator.operator_fee_bps })
    : undefined;
  const options = terms.uses.map((one) => [one.use, texts.uses[one.use]] as const);
  return (
    <section class="two">
      <div>
        <h2>{texts.work.terms}</h2>
        {summary.value ? <pre class="summary">{summary.value}</pre> : <ErrorBox error={summary.error} />}
      </div>
      <div class="card">
        <h2>{texts.work.calculator}</h2>
        <div class="columns">
          <Select label={texts.work.use} value={use} options={options} onValue={(to) => setUse(to as Use)} />
          <Field label={texts.work.units} inputMode="numeric" value={units} onValue={setUnits} />
        </div>
        {priced && <p class="quiet">{formatAmount(priced.price, currency)} / {texts.units[priced.unit]}</p>}
        {terms.free_units > 0 && <p class="quiet">{texts.work.freeUnits(String(terms.free_units))}</p>}
        {charge && operator && (
          <dl class="facts" aria-live="polite">
            <dt>{texts.work.priceLine}</dt><dd>{formatAmount(charge.price, currency)}</dd>
            <dt>{texts.work.fee(formatBps(operator.operator_fee_bps))}</dt><dd>{formatAmount(charge.fee, currency)}</dd>
            {BigInt(terms.upfront_fee) > 0n && <><dt>{texts.work.upfront}</dt><dd>{formatAmount(terms.upfront_fee, currency)}</dd></>}
            <dt><strong>{texts.work.total}</strong></dt><dd><strong>{formatAmount(BigInt(charge.total) + BigInt(terms.upfront_fee), currency)}</strong></dd>
          </dl>
        )}
        <p><a class="button primary" href={`/studio/platform?work=${work.work}`}>{texts.work.use_it}</a></p>
      </div>
    </section>
  );
}

function Relatives({ title, works }: { title: string; works: Details['parents'] }) {
  if (works.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {works.map(({ work, kind, share_bps }) => (
          <li key={work}><a href={`/w/${work}`}>{texts.kinds[kind]} {work.slice(0, 8)}…</a>{share_bps ? ` · ${formatBps(share_bps)}` : ''}</li>
        ))}
      </ul>
    </section>
  );
}

function Snippets({ work }: { work: WorkFacts }) {
  const [language, setLanguage] = useState<Language>('cli');
  const snippets = snippetsOf(work, location.origin);
  const page = `${location.origin}/w/${work.work}`;
  const badge = `<a href="${page}"><img src="${location.origin}/v1/badge/${work.work}.svg" alt="Motif"></a>`;
  return (
    <section>
      <h2>{texts.work.use_it}</h2>
      <Select label={texts.work.use_it} value={language} options={Object.entries(texts.work.snippets)} onValue={(to) => setLanguage(to as Language)} />
      <pre class="summary" tabIndex={0}>{snippets[language]}</pre>
      <h3>{texts.work.badge}</h3>
      <pre class="summary" tabIndex={0}>{badge}</pre>
    </section>
  );
}

function Facts({ work }: { work: WorkFacts }) {
  return (
    <section>
      <h2>{texts.work.facts}</h2>
      <dl class="facts">
        <dt>{texts.work.address}</dt><dd><Code value={work.work} length={8} /></dd>
        <dt>{texts.work.owner}</dt><dd><Code value={work.owner} length={8} /></dd>
        <dt>{texts.work.creatorAddress}</dt><dd><Code value={work.creator} length={8} /></dd>
        <dt>{texts.work.registered}</dt><dd><Time at={work.registered_at} /></dd>
        <dt>{texts.work.digest}</dt><dd><Code value={work.content_digest} length={8} /></dd>
        {work.consent && <><dt>{texts.work.consent}</dt><dd><Code value={work.consent.person} length={8} /></dd></>}
        {work.certificate && <><dt>{texts.work.certificate}</dt><dd><Code value={work.certificate} length={8} /></dd></>}
      </dl>
    </section>
  );
}
