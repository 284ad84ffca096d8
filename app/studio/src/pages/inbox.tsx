import { licensing } from '@motif/sdk/programs';
import { address as toKitAddress, createNoopSigner } from '@solana/kit';
import { useState } from 'preact/hooks';

import { gateway, listWorks, type WorkFacts } from '../lib/catalogue.js';
import { formatBps } from '../lib/money.js';
import { rules } from '../lib/rules.js';
import { isAddress } from '../lib/shares.js';
import { useLoaded } from '../lib/store.js';
import { execute, type AnyInstruction } from '../lib/transactions.js';
import type { Session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Busy, Code, ErrorBox, Field, Notice, useAction, WithWallet } from '../ui/parts.js';
import { Title } from '../ui/works.js';

type Details = Awaited<ReturnType<typeof gateway.work>>;

/** What waits for a person's decision. */
export default function InboxPage() {
  return (
    <>
      <h1>{texts.inbox.title}</h1>
      <p class="lead">{texts.inbox.intro}</p>
      <WithWallet>{(session) => <Inbox key={session.address} session={session} />}</WithWallet>
    </>
  );
}

interface Item {
  readonly key: string;
  readonly kind: 'split' | 'transfer' | 'voice' | 'dispute' | 'approval';
  readonly details: Details;
}

const CONSENT_NOTICE_SECONDS = 30 * 86_400;

async function load(person: string): Promise<Item[]> {
  const works = (await listWorks({})).filter((work) => concerns(work, person));
  const details = await Promise.all(works.map(({ work }) => gateway.work(work)));
  return details.flatMap((one) => itemsOf(one, person));
}

function concerns({ owner, pending_owner, consent, split }: WorkFacts, person: string): boolean {
  return owner === person || pending_owner === person || consent?.person === person || split.some(({ recipient }) => recipient === person);
}

function itemsOf(details: Details, person: string): Item[] {
  const { work, split_change, dispute } = details;
  const isOwner = work.owner === person;
  const kinds: (Item['kind'] | false | undefined | null)[] = [
    split_change && (split_change.awaiting.includes(person) || (isOwner && split_change.awaiting.length === 0)) && 'split',
    work.pending_owner === person && 'transfer',
    work.consent?.person === person && 'voice',
    dispute && isOwner && 'dispute',
    isOwner && work.terms?.approval_required && 'approval',
  ];
  return kinds.flatMap((kind) => (kind ? [{ key: `${work.work} ${kind}`, kind, details }] : []));
}

function Inbox({ session }: { session: Session }) {
  const { value, error, reload } = useLoaded(() => load(session.address), [session.address]);
  if (error !== undefined) return <ErrorBox error={error} onRetry={reload} />;
  if (!value) return <Busy />;
  if (value.length === 0) return <Notice>{texts.inbox.none}</Notice>;
  return <>{value.map(({ key, ...item }) => <Entry key={key} {...item} session={session} onDone={reload} />)}</>;
}

interface EntryProps extends Omit<Item, 'key'> {
  session: Session;
  onDone(): void;
}

const TITLES = { split: texts.inbox.split, transfer: texts.inbox.transfer, voice: texts.inbox.voice, dispute: texts.inbox.dispute, approval: texts.inbox.approval };

function Entry({ kind, details, session, onDone }: EntryProps) {
  const action = useAction();
  const [isDone, setDone] = useState(false);
  const sign = (build: () => Promise<readonly AnyInstruction[]>) =>
    action.run(async () => {
      await execute(session, await build());
      setDone(true);
      onDone();
    });
  return (
    <section class="card">
      <h2>{TITLES[kind]}: <a href={`/w/${details.work.work}`}><Title work={details.work} /></a></h2>
      {kind === 'split' && <SplitChange details={details} session={session} isBusy={action.isBusy} onSign={sign} />}
      {kind === 'transfer' && (
        <>
          <p>{texts.inbox.transferText}</p>
          <button type="button" class="primary" disabled={action.isBusy} onClick={() => sign(async () => [acceptOwnership(session, details.work)])}>{texts.inbox.accept}</button>
        </>
      )}
      {kind === 'voice' && <Consent details={details} session={session} isBusy={action.isBusy} onSign={sign} />}
      {kind === 'dispute' && <p>{texts.inbox.disputeText(new Date((details.dispute?.deadline ?? 0) * 1_000).toLocaleString())}</p>}
      {kind === 'approval' && <Approval details={details} session={session} isBusy={action.isBusy} onSign={sign} />}
      <ErrorBox error={action.error} />
      {action.isBusy && <Busy text={texts.inbox.sending} />}
      {isDone && <Notice tone="good">{texts.inbox.done}</Notice>}
    </section>
  );
}

interface PartProps {
  details: Details;
  session: Session;
  isBusy: boolean;
  onSign(build: () => Promise<readonly AnyInstruction[]>): void;
}

const STATUSES = { active: licensing.WorkStatus.Active, withdrawn: licensing.WorkStatus.Withdrawn, disputed: licensing.WorkStatus.Disputed };

/** Accepts a work in the state that the page shows. */
function acceptOwnership(session: Session, work: WorkFacts): AnyInstruction {
  const accepter = createNoopSigner(toKitAddress(session.address));
  return licensing.getAcceptOwnershipInstruction({
    accepter,
    work: toKitAddress(work.work),
    status: STATUSES[work.status],
    latestTerms: work.terms?.number ?? 0,
    splitVersion: work.split_version,
  });
}

function SplitChange({ details, session, isBusy, onSign }: PartProps) {
  const { work, split_change: change } = details;
  if (!change) return null;
  const isWaiting = change.awaiting.includes(session.address);
  const approve = async () => (await rules()).call('instruction.approve_split_change', { recipient: session.address, work: work.work, split: change.split }).instructions;
  const apply = async () => (await rules()).call('instruction.apply_split_change', { payer: session.address, work: work.work, proposer: change.proposer }).instructions;
  return (
    <>
      <p>{texts.inbox.splitText}</p>
      <div class="two">
        <Shares title={texts.inbox.now} split={work.split} />
        <Shares title={texts.inbox.proposed} split={change.split} />
      </div>
      <button type="button" class="primary" disabled={isBusy} onClick={() => onSign(isWaiting ? approve : apply)}>{isWaiting ? texts.inbox.consent : texts.inbox.apply}</button>
    </>
  );
}

function Shares({ title, split }: { title: string; split: WorkFacts['split'] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul>{split.map(({ recipient, share_bps }) => <li key={recipient}><Code value={recipient} /> {formatBps(share_bps)}</li>)}</ul>
    </div>
  );
}

function Consent({ details, session, isBusy, onSign }: PartProps) {
  const { work } = details;
  const end = work.consent?.expires_at;
  const endIt = async () => {
    const expires_at = Math.floor(Date.now() / 1_000) + CONSENT_NOTICE_SECONDS;
    return (await rules()).call('instruction.set_consent_end', { person: session.address, work: work.work, expires_at }).instructions;
  };
  return (
    <>
      <p>{texts.inbox.voiceText(end ? new Date(end * 1_000).toLocaleDateString() : texts.never)}</p>
      {!end && <button type="button" disabled={isBusy} onClick={() => onSign(endIt)}>{texts.inbox.end}</button>}
    </>
  );
}

function Approval({ details, session, isBusy, onSign }: PartProps) {
  const [grantee, setGrantee] = useState('');
  const { work } = details;
  const grant = async () => {
    const input = { owner: session.address, work: work.work, terms_number: work.terms!.number, grantee: grantee.trim(), purpose: 'license' as const };
    return (await rules()).call('instruction.grant_approval', input).instructions;
  };
  return (
    <>
      <p>{texts.inbox.approvalText}</p>
      <Field label={texts.inbox.grantee} class="mono" spellcheck={false} value={grantee} onValue={setGrantee} />
      <button type="button" disabled={isBusy || !isAddress(grantee.trim())} onClick={() => onSign(grant)}>{texts.inbox.grant}</button>
    </>
  );
}
