import { examineInWorker, type Examination } from '@motif/sdk/content';
import { useEffect, useState } from 'preact/hooks';

import { currencies, gateway } from '../lib/catalogue.js';
import { readNetwork } from '../lib/chain.js';
import { draftFile } from '../lib/draft-file.js';
import { formatSol, type Currency } from '../lib/money.js';
import { estimateCost, isRegistered, makePreview, register, type Draft, type Registered, type WorkKind } from '../lib/registration.js';
import { readShares, SIGNER, type ShareText } from '../lib/shares.js';
import { useLoaded } from '../lib/store.js';
import { linkOf, readRequest, type VoiceRequest } from '../lib/voice-request.js';
import type { Session } from '../lib/wallets.js';
import { texts } from '../texts.js';
import { Area, Busy, Code, ErrorBox, Field, FileZone, Notice, Select, useAction, WithWallet } from '../ui/parts.js';
import { checkParents, ParentsEditor, type ParentText } from '../ui/parents-editor.js';
import { Registration } from '../ui/registered.js';
import { SplitEditor } from '../ui/split-editor.js';
import { Qr } from '../ui/till.js';
import { TermsEditor, useTerms } from '../ui/terms-editor.js';

/** Registers a work and its terms. */
export default function RegisterPage() {
  const loaded = useLoaded(async () => ({ currency: (await currencies())[0], request: await readRequest(), network: await readNetwork() }), []);
  const { currency, request, network } = loaded.value ?? {};
  return (
    <>
      <h1>{texts.register.title}</h1>
      <p class="lead">{texts.register.intro}</p>
      <ErrorBox error={loaded.error} onRetry={loaded.reload} />
      <WithWallet>
        {(session) => (currency ? <RegisterForm key={session.address} session={session} currency={currency} request={request} isSponsored={network?.sponsor !== undefined} /> : <Busy />)}
      </WithWallet>
    </>
  );
}

const KIND_OF_MEDIA: Record<Examination['media'], WorkKind> = { image: 'image', audio: 'recording', text: 'text', other: 'dataset' };
const MOST_TITLE_BYTES = 64;
/** Style models have facts of their own, which the command line registers. */
const KINDS = Object.entries(texts.kinds).filter(([kind]) => kind !== 'style-model');

interface Content {
  readonly digest: string;
  readonly fingerprint: Examination['fingerprint'];
  readonly media: Examination['media'];
  readonly preview: Draft['preview'];
  readonly pictureUrl: string | undefined;
  readonly name: string;
}

function RegisterForm({ session, currency, request, isSponsored }: { session: Session; currency: Currency; request: VoiceRequest | undefined; isSponsored: boolean }) {
  const [content, setContent] = useState<Content | undefined>(() => request && contentOf(request));
  const [chosenKind, setKind] = useState<WorkKind | undefined>(request ? 'voice' : undefined);
  const kind = chosenKind ?? KIND_OF_MEDIA[content?.media ?? 'image'];
  const [title, setTitle] = useState(request?.title ?? '');
  const [description, setDescription] = useState('');
  const [creatorName, setCreatorName] = useState('');
  const [link, setLink] = useState('');
  const [hasPreview, setHasPreview] = useState(true);
  const [isMyVoice, setMyVoice] = useState(false);
  const [toml, setToml] = useState(request?.toml ?? '');
  const [rows, setRows] = useState<ShareText[]>(() => rowsOf(request, session.address));
  const [parents, setParents] = useState<ParentText[]>([]);
  const [done, setDone] = useState<Registered>();
  const [voiceLink, setVoiceLink] = useState('');
  const examining = useAction();
  const sending = useAction();
  const parsed = useTerms(toml, currency);
  const hasSigner = kind === 'voice' && !request;
  const { shares, errors } = readShares(rows, hasSigner);

  const examine = (file: File, known?: Examination) =>
    examining.run(async () => {
      const examined = known ?? (await examineInWorker(file));
      const preview = examined.media === 'image' ? await makePreview(file) : undefined;
      const pictureUrl = preview && URL.createObjectURL(preview.file);
      setContent({ digest: examined.digest, fingerprint: examined.fingerprint, media: examined.media, preview, pictureUrl, name: file.name });
      // A title that is being typed is not completed.
      const isTyped = document.activeElement instanceof HTMLInputElement && document.activeElement.type === 'text';
      setTitle((current) => current || isTyped ? current : file.name.replace(/\.[^.]*$/, '').slice(0, 60));
      const fingerprints = examined.probes.filter(({ scheme }) => scheme !== 0);
      const { alike } = await gateway.authenticate({ digest: examined.digest, fingerprints: [...fingerprints] });
      const likely = alike.filter(({ work }) => work.terms?.derivatives === 'allowed').slice(0, 3);
      setParents(likely.map(({ work }) => ({ work: work.work, share: String((work.terms?.derivative_share_bps ?? 0) / 100) })));
    });
  useEffect(() => {
    if (draftFile.value) examine(draftFile.value.file, draftFile.value.examined);
    draftFile.set(undefined);
  }, []);

  const problem = firstProblem({ content, title, link, errors });
  const hasFindings = parsed.findings.length > 0;
  const draft = async (): Promise<Draft> => ({
    kind,
    digest: content!.digest,
    fingerprint: content!.fingerprint,
    title,
    description,
    creatorName,
    links: link === '' ? [] : [link],
    preview: hasPreview ? content!.preview : undefined,
    split: shares,
    parents: await checkParents(parents),
    currency,
    offer: parsed.offer,
  });
  const submit = () =>
    sending.run(async () => {
      if (await isRegistered(session.address, content!.digest)) throw new Error(texts.register.already);
      setDone(await register(session, await draft()));
    });
  const ask = () =>
    sending.run(async () => {
      const isNamed = rows.some(({ recipient }) => recipient.trim() === SIGNER);
      const split = rows.map((row) => (!isNamed && row.recipient === session.address ? { ...row, recipient: SIGNER } : row));
      setVoiceLink(await linkOf({ digest: content!.digest, fingerprint: content!.fingerprint, title, toml, split }));
    });
  if (done) return <Registration {...done} />;

  const ownBps = shares.find(({ recipient }) => recipient === session.address)?.share_bps ?? 0;
  const parentBps = parents.reduce((sum, { share }) => sum + Math.round(Number(share) * 100 || 0), 0);
  const isBlocked = problem !== undefined || hasFindings || sending.isBusy || (kind === 'voice' && !isMyVoice) || shares.some(({ recipient }) => recipient === SIGNER);
  return (
    <form class="register" onSubmit={(event) => { event.preventDefault(); if (!isBlocked) submit(); }}>
      {request && <Notice tone="warn">{texts.register.voiceOpened}</Notice>}
      {!request && <FileZone label={content ? content.name : texts.drop.zone} hint={texts.register.fileHelp} onFile={(file) => examine(file)} />}
      {examining.isBusy && <Busy text={texts.register.working} />}
      <ErrorBox error={examining.error} />
      {content?.pictureUrl && (
        <div class="preview">
          <img src={content.pictureUrl} alt="" />
          <label class="check"><input type="checkbox" checked={hasPreview} onChange={(event) => setHasPreview(event.currentTarget.checked)} />{texts.register.preview}</label>
        </div>
      )}
      {content && <p class="quiet">{texts.drop.digest} <Code value={content.digest} length={8} /></p>}
      <div class="columns">
        <Field label={texts.register.name} value={title} onValue={setTitle} required />
        {!request && <Select label={texts.register.kind} value={kind} options={KINDS} onValue={(to) => setKind(to as WorkKind)} />}
        <Field label={texts.register.creator} value={creatorName} onValue={setCreatorName} autocomplete="name" maxLength={100} />
        <Field label={texts.register.link} value={link} onValue={setLink} />
      </div>
      <Area label={texts.register.description} value={description} onValue={setDescription} />
      <SplitEditor rows={rows} own={session.address} hasSigner={hasSigner} hasPool={kind === 'dataset'} onRows={setRows} />
      <ParentsEditor rows={parents} onRows={setParents} />
      <TermsEditor toml={toml} parsed={parsed} currency={currency} ownBps={ownBps} parentBps={parentBps} onToml={setToml} />
      {kind === 'voice' && (
        <div class="card">
          {!request && (
            <>
              <p>{texts.register.voice}</p>
              <button type="button" disabled={problem !== undefined || hasFindings} onClick={ask}>{texts.register.voiceLink}</button>
              {voiceLink !== '' && <><Qr link={voiceLink} label={texts.qr.voice} /><p><Code value={voiceLink} length={24} /></p></>}
            </>
          )}
          <label class="check"><input type="checkbox" checked={isMyVoice} onChange={(event) => setMyVoice(event.currentTarget.checked)} />{texts.register.voiceConsent}</label>
        </div>
      )}
      <p><strong>{texts.register.cost}</strong> {texts.register.costText(formatSol(estimateCost({ recipients: shares.length, parents: parents.length, hasTerms: parsed.offer !== undefined })))} {isSponsored && texts.register.sponsored}</p>
      {problem && content && <p class="bad" role="status">{problem}</p>}
      <ErrorBox error={sending.error} />
      <button type="submit" class="primary big" disabled={isBlocked}>{parsed.offer ? texts.register.submit : texts.register.submitPlain}</button>
      {sending.isBusy && <Busy text={texts.register.sending} />}
    </form>
  );
}

function contentOf({ digest, fingerprint, title }: VoiceRequest): Content {
  return { digest, fingerprint, media: 'audio', preview: undefined, pictureUrl: undefined, name: title };
}

function rowsOf(request: VoiceRequest | undefined, own: string): ShareText[] {
  if (!request) return [{ recipient: own, share: '100' }];
  return request.split.map((row) => (row.recipient.trim() === SIGNER ? { ...row, recipient: own } : row));
}

interface Checked {
  readonly content: Content | undefined;
  readonly title: string;
  readonly link: string;
  readonly errors: readonly string[];
}

function firstProblem({ content, title, link, errors }: Checked): string | undefined {
  if (!content) return texts.register.needFile;
  if (title.trim() === '') return texts.register.needTitle;
  if (new TextEncoder().encode(title).length > MOST_TITLE_BYTES) return texts.register.longTitle;
  if (link !== '' && !link.startsWith('https://')) return texts.register.badLink;
  return errors[0];
}
