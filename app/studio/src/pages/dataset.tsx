import { examineInWorker } from '@motif/sdk/content';
import { useMemo, useState } from 'preact/hooks';

import { currencies } from '../lib/catalogue.js';
import { formatAmount, formatBps, formatSol, toDecimal, type Currency } from '../lib/money.js';
import { payoutsOf, type Contributor, type Pool, type PoolWork } from '../lib/pool.js';
import { costOf, dropDraft, fitsTitle, keptDraft, planOf, progressOf, registerPool, type PoolDraft, type PoolProgress } from '../lib/pool-registration.js';
import type { Registered } from '../lib/registration.js';
import { save } from '../lib/save.js';
import { useLoaded } from '../lib/store.js';
import { MOST_AT_ONCE } from '../lib/transactions.js';
import type { Session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Area, Busy, Code, ErrorBox, Field, FileZone, Notice, useAction, WithWallet } from '../ui/parts.js';
import { Registration } from '../ui/registered.js';
import { TermsEditor, useTerms } from '../ui/terms-editor.js';

/** Registers a data set whose earnings are divided among many contributors. */
export default function DatasetPage() {
  const currency = useLoaded(async () => (await currencies())[0], []);
  return (
    <>
      <h1>{texts.pool.title}</h1>
      <p class="lead">{texts.pool.intro}</p>
      <ErrorBox error={currency.error} onRetry={currency.reload} />
      <WithWallet>{(session) => (currency.value ? <Dataset key={session.address} session={session} currency={currency.value} /> : <Busy />)}</WithWallet>
    </>
  );
}

const EMPTY: PoolDraft = { digest: '', fingerprint: { scheme: 0, bits: '0'.repeat(64) }, fileName: '', title: '', description: '', creatorName: '', list: '', keep: '0', toml: '' };

function Dataset({ session, currency }: { session: Session; currency: Currency }) {
  const [draft, setDraft] = useState(EMPTY);
  const [kept, setKept] = useState(() => keptDraft(session.address));
  const [progress, setProgress] = useState<PoolProgress>();
  const [done, setDone] = useState<Registered>();
  const examining = useAction();
  const sending = useAction();
  const change = (part: Partial<PoolDraft>) => setDraft((current) => ({ ...current, ...part }));
  const { list, keep, toml } = draft;
  const parsed = useTerms(toml, currency);
  const planned = useMemo(() => planOf(list, keep, session.address), [list, keep, session.address]);
  const examine = (file: File) =>
    examining.run(async () => {
      const { digest, fingerprint } = await examineInWorker(file);
      const named = file.name.replace(/\.[^.]*$/, '').slice(0, 60);
      setDraft((current) => ({ ...current, digest, fingerprint, fileName: file.name, title: current.title || named }));
    });
  const problem = firstProblem(draft, planned.errors, planned.keepBps);
  const isReady = problem === undefined && planned.pool !== undefined && parsed.findings.length === 0 && !sending.isBusy;
  const submit = () =>
    sending.run(async () => {
      setKept(undefined);
      setDone(await registerPool(session, draft, planned.pool!, parsed.offer, currency, setProgress));
    });
  if (done) return <Registration {...done} />;
  const keepBps = planned.keepBps ?? 0;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (isReady) submit(); }}>
      {kept && <Begun session={session} draft={kept} onResume={() => { setDraft(kept); setKept(undefined); }} onDrop={() => { dropDraft(session.address); setKept(undefined); }} />}
      <FileZone label={draft.fileName || texts.pool.file} hint={texts.pool.fileHelp} onFile={examine} />
      {examining.isBusy && <Busy text={texts.register.working} />}
      <ErrorBox error={examining.error} />
      {draft.digest !== '' && <p class="quiet">{texts.drop.digest} <Code value={draft.digest} length={8} /></p>}
      <div class="columns">
        <Field label={texts.register.name} value={draft.title} onValue={(title) => change({ title })} required />
        <Field label={texts.register.creator} value={draft.creatorName} onValue={(creatorName) => change({ creatorName })} autocomplete="name" maxLength={100} />
        <Field label={texts.pool.keep} help={texts.pool.keepHelp} inputMode="decimal" value={keep} onValue={(to) => change({ keep: to })} />
      </div>
      <Area label={texts.register.description} value={draft.description} onValue={(description) => change({ description })} />
      <fieldset>
        <legend>{texts.pool.list}</legend>
        <FileZone label={texts.pool.listFile} hint={texts.pool.listPrivacy} accept=".csv,.txt,text/csv,text/plain" onFile={(file) => examining.run(async () => change({ list: await file.text() }))} />
        <Area label={texts.pool.list} help={texts.pool.listHelp} isCode rows={6} value={list} onValue={(to) => change({ list: to })} />
        {planned.errors.length > 0 && <ul class="bad" role="alert">{planned.errors.map((error) => <li key={error}>{error}</li>)}</ul>}
      </fieldset>
      <TermsEditor toml={toml} parsed={parsed} currency={currency} ownBps={10_000} parentBps={10_000 - keepBps} onToml={(to) => change({ toml: to })} />
      {planned.pool && <Plan pool={planned.pool} contributors={planned.contributors} currency={currency} />}
      {problem && list !== '' && <p class="bad" role="status">{problem}</p>}
      <ErrorBox error={sending.error} />
      {progress && <Notice tone={sending.error === undefined ? 'info' : 'warn'}><span data-done={progress.done}>{texts.pool.progress(progress.done, progress.all)}</span></Notice>}
      <button type="submit" class="primary big" disabled={!isReady}>
        {progress ? texts.pool.resume : texts.pool.submit(planned.pool?.works.length ?? 0)}
      </button>
      {sending.isBusy && <Busy text={texts.register.sending} />}
    </form>
  );
}

function firstProblem(draft: PoolDraft, errors: readonly string[], keepBps: number | undefined): string | undefined {
  if (draft.digest === '') return texts.register.needFile;
  if (draft.title.trim() === '') return texts.register.needTitle;
  if (!fitsTitle(draft.title)) return texts.register.longTitle;
  if (keepBps === undefined) return texts.pool.badKeep;
  return errors[0];
}

function Begun({ session, draft, onResume, onDrop }: { session: Session; draft: PoolDraft; onResume(): void; onDrop(): void }) {
  const { value } = useLoaded(async () => {
    const { pool } = planOf(draft.list, draft.keep, session.address);
    return pool && progressOf(session.address, pool, draft.digest);
  }, [draft]);
  return (
    <Notice tone="warn">
      <strong>{texts.pool.begun}: {draft.title}</strong>
      {value && <p data-begun={value.done}>{texts.pool.begunText(value.done, value.all)}</p>}
      <div class="row">
        <button type="button" class="primary" onClick={onResume}>{texts.pool.resume}</button>
        <button type="button" onClick={onDrop}>{texts.pool.discard}</button>
        <small>{texts.pool.discardText}</small>
      </div>
    </Notice>
  );
}

const SAMPLE_TOKENS = 1_000n;
const MOST_SHOWN = 8;

function Plan({ pool, contributors, currency }: { pool: Pool; contributors: readonly Contributor[]; currency: Currency }) {
  const sample = SAMPLE_TOKENS * 10n ** BigInt(currency.decimals);
  const payouts = useMemo(() => payoutsOf(pool, sample), [pool, sample]);
  const paid = [...payouts.values()].reduce((sum, amount) => sum + amount, 0n);
  const { registration, earnings } = costOf(pool);
  const transactions = pool.works.length + 1;
  const download = () => save(planCsv(pool, contributors), 'text/csv', 'contributors-plan.csv');
  return (
    <section class="card">
      <h2>{texts.pool.plan}</h2>
      <p><strong>{texts.pool.summary(contributors.length, pool.works.length, depthOf(pool.root))}</strong></p>
      <p class="quiet">{texts.pool.deviation(`${toDecimal(pool.deviation, 4)}%`)}</p>
      <ul class="tree"><li><strong>{texts.pool.dataset}</strong><Groups work={pool.root} /></li></ul>
      <h3>{texts.pool.example}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.pool.example}>
        <table>
          <thead><tr><th scope="col">{texts.pool.person}</th><th scope="col" class="number">{texts.pool.weight}</th><th scope="col" class="number">{texts.pool.of1000(formatAmount(sample, currency))}</th></tr></thead>
          <tbody>
            {contributors.slice(0, MOST_SHOWN).map(({ recipient, weight }) => (
              <tr key={recipient}><th scope="row"><Code value={recipient} length={6} /></th><td class="number">{String(weight)}</td><td class="number">{formatAmount(payouts.get(recipient) ?? 0n, currency)}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      {contributors.length > MOST_SHOWN && <p class="quiet">{texts.pool.rest(contributors.length - MOST_SHOWN)}</p>}
      {sample > paid && <p class="quiet">{texts.pool.dust(formatAmount(sample - paid, currency))}</p>}
      <button type="button" onClick={download}>{texts.pool.download}</button>
      <p><strong>{texts.register.cost}</strong> {texts.pool.cost(formatSol(registration))} {texts.pool.later(formatSol(earnings))}</p>
      <p>{texts.pool.approvals(transactions, Math.ceil(transactions / MOST_AT_ONCE))}</p>
    </section>
  );
}

function depthOf(work: PoolWork): number {
  return 1 + Math.max(0, ...work.parents.map(depthOf));
}

function peopleOf(work: PoolWork): number {
  return work.recipients.length + work.parents.reduce((sum, parent) => sum + peopleOf(parent), 0);
}

function Groups({ work }: { work: PoolWork }) {
  return <ul>{work.parents.map((parent) => <Group key={parent.place} work={parent} />)}</ul>;
}

function Group({ work }: { work: PoolWork }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{texts.pool.group(work.place)}: {texts.pool.people(peopleOf(work))}, {texts.pool.groupShare(formatBps(work.share_bps))}</summary>
        {isOpen && work.parents.length > 0 && <Groups work={work} />}
        {isOpen && work.recipients.length > 0 && (
          <ul class="people">{work.recipients.map(({ recipient, share_bps }) => <li key={recipient}><Code value={recipient} length={6} /> {formatBps(share_bps)}</li>)}</ul>
        )}
      </details>
    </li>
  );
}

function planCsv(pool: Pool, contributors: readonly Contributor[]): string {
  const weights = new Map(contributors.map(({ recipient, weight }) => [recipient, weight]));
  const rows = pool.works.flatMap((work) => work.recipients.map(({ recipient, share_bps }) => [recipient, weights.get(recipient) ?? '', work.place || 'data set', share_bps].join(',')));
  return ['address,weight,group,share_bps_of_group', ...rows, ''].join('\n');
}
