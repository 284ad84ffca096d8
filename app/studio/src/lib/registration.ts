import { sha256, type Core, type Offer, type Registration } from '@motif/sdk';
import type { Examination } from '@motif/sdk/content';

import { readAccounts } from './chain.js';
import type { Currency } from './money.js';
import { encodeMetadata, uploadMetadata, type Metadata } from './record.js';
import { rules } from './rules.js';
import { execute } from './transactions.js';
import type { Session } from './wallets.js';

export type WorkKind = Registration['kind'];

/** Work that a creator is about to register. */
export interface Draft {
  readonly kind: WorkKind;
  readonly digest: string;
  readonly fingerprint: Examination['fingerprint'];
  readonly title: string;
  readonly description: string;
  readonly creatorName: string;
  readonly links: readonly string[];
  readonly preview: { readonly digest: string; readonly file: Blob } | undefined;
  readonly split: readonly { readonly recipient: string; readonly share_bps: number }[];
  readonly parents: readonly { readonly work: string; readonly share_bps: number; readonly terms: number }[];
  readonly currency: Currency;
  /** Terms to publish with the work; none without. */
  readonly offer: Offer | undefined;
}

/** Registered work. */
export interface Registered {
  readonly work: string;
  readonly signature: string;
  /** Why the gateway did not take the description or picture; `undefined` if it did. */
  readonly uploadError: unknown;
}

/** Registers a work and publishes its terms in one transaction, and has the gateway host its description. */
export async function register(session: Session, draft: Draft): Promise<Registered> {
  const core = await rules();
  const work = core.call('address.work', { creator: session.address, content_digest: draft.digest }).address;
  const metadata = await encodeMetadata(metadataOf(draft));
  const registration = registrationOf(draft, metadata.digest);
  const consent = draft.kind === 'voice' ? { consent: session.address } : {};
  const signature = await execute(session, [
    ...core.call('instruction.register_work', { creator: session.address, ...consent, registration }).instructions,
    ...termsOf(core, session.address, work, draft),
  ]);
  const uploadError = await uploadMetadata(work, metadata.digest, metadata.bytes, draft.preview).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { work, signature, uploadError };
}

function metadataOf(draft: Draft): Metadata {
  const { title, description, creatorName: creator, links } = draft;
  return { motif: 1, title, description, creator, links, preview: draft.preview?.digest ?? null };
}

function registrationOf(draft: Draft, digest: string): Registration {
  const parents = draft.parents.map(({ work, share_bps, terms }) => ({ work, share_bps, right: { terms } }));
  return {
    kind: draft.kind,
    content_digest: draft.digest,
    fingerprint: draft.fingerprint,
    title: draft.title,
    metadata_uri: `${location.origin}/v1/metadata/${digest}`,
    metadata_digest: digest,
    parents,
    split: draft.split,
  };
}

function termsOf(core: Core, owner: string, work: string, { offer, currency }: Draft) {
  if (!offer) return [];
  const terms = { owner, work, latest_terms: 0, currency: currency.mint, offer };
  return core.call('instruction.publish_terms', terms).instructions;
}

const RENT_PER_BYTE = 6_960n;
const ACCOUNT_BYTES = 128n;
const FEE = 5_000n;
const TERMS_BYTES = 640n;

/** Estimates the SOL that a registration costs, in lamports: rent of its accounts and the fee. */
export function estimateCost(draft: Pick<Draft, 'title' | 'split' | 'parents' | 'offer'>): bigint {
  const work = BigInt(420 + draft.title.length + 34 * draft.split.length + 38 * draft.parents.length);
  const rent = (bytes: bigint) => (bytes + ACCOUNT_BYTES) * RENT_PER_BYTE;
  return rent(work) + (draft.offer ? rent(TERMS_BYTES) : 0n) + FEE;
}

/** Whether a work of this creator with this content exists. */
export async function isRegistered(creator: string, digest: string): Promise<boolean> {
  const core = await rules();
  const [account] = await readAccounts([core.call('address.work', { creator, content_digest: digest }).address]);
  return account !== undefined && account.data.length > 0;
}

const PREVIEW_SIDE = 1_024;
const PREVIEW_QUALITY = 0.85;

/** Returns a small picture of an image file, without the file's own metadata; `undefined` for other files. */
export async function makePreview(file: Blob): Promise<Draft['preview']> {
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) return undefined;
  const scale = Math.min(1, PREVIEW_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const canvas = new OffscreenCanvas(Math.max(1, width), Math.max(1, height));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const picture = await canvas.convertToBlob({ type: 'image/jpeg', quality: PREVIEW_QUALITY });
  return { digest: await sha256(new Uint8Array(await picture.arrayBuffer())), file: picture };
}
