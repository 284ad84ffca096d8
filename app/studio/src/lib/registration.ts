import { sha256, type Core, type Instruction, type Offer, type Registration } from '@motif/sdk';
import type { Examination } from '@motif/sdk/content';

import { readAccounts } from './chain.js';
import type { Currency } from './money.js';
import { encodeMetadata, uploadMetadata, type Metadata } from './record.js';
import { rules } from './rules.js';
import { executeGroups, packInstructions } from './transactions.js';
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
  readonly parents: NonNullable<Registration['parents']>;
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

/** Registers a work and publishes its terms, with one approval, and has the gateway host its description. */
export async function register(session: Session, draft: Draft): Promise<Registered> {
  const { work, instructions, upload } = await prepare(session.address, draft);
  const signatures = await executeGroups(session, await packInstructions(instructions));
  return { work, signature: signatures[0]!, uploadError: await upload() };
}

/** Work that is ready to be registered. */
export interface Prepared {
  readonly work: string;
  /** Registration, and publication of the terms. */
  readonly instructions: readonly Instruction[];
  /** Has the gateway host the description of the registered work; returns why it did not. */
  upload(): Promise<unknown>;
}

/** Builds the instructions that register a work. */
export async function prepare(creator: string, draft: Draft): Promise<Prepared> {
  const core = await rules();
  const work = core.call('address.work', { creator, content_digest: draft.digest }).address;
  const metadata = await encodeMetadata(metadataOf(draft));
  const registration = registrationOf(draft, metadata.digest);
  const consent = draft.kind === 'voice' ? { consent: creator } : {};
  const instructions = [
    ...core.call('instruction.register_work', { creator, ...consent, registration }).instructions,
    ...termsOf(core, creator, work, draft),
  ];
  const upload = () => uploadMetadata(work, metadata.digest, metadata.bytes, draft.preview).then(() => undefined, (error: unknown) => error);
  return { work, instructions, upload };
}

function metadataOf(draft: Draft): Metadata {
  const { title, description, creatorName: creator, links } = draft;
  return { motif: 1, title, description, creator, links, preview: draft.preview?.digest ?? null };
}

function registrationOf(draft: Draft, digest: string): Registration {
  return {
    kind: draft.kind,
    content_digest: draft.digest,
    fingerprint: draft.fingerprint,
    title: draft.title,
    metadata_uri: `${location.origin}/v1/metadata/${digest}`,
    metadata_digest: digest,
    parents: draft.parents,
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
const WORK_BYTES = 480n;
const TERMS_BYTES = 640n;
const EARNINGS_BYTES = 136n;

/** Estimates the SOL that a registration costs, in lamports: rent of its accounts and the fee. */
export function estimateCost({ recipients, parents, hasTerms }: { recipients: number; parents: number; hasTerms: boolean }): bigint {
  return rentOf(WORK_BYTES + 34n * BigInt(recipients) + 38n * BigInt(parents)) + (hasTerms ? rentOf(TERMS_BYTES) : 0n) + FEE;
}

/** Estimates the SOL that the earnings of a work need when it is first paid, in lamports. */
export function estimateEarnings(parts: number): bigint {
  return rentOf(EARNINGS_BYTES + 56n * BigInt(parts));
}

function rentOf(bytes: bigint): bigint {
  return (bytes + ACCOUNT_BYTES) * RENT_PER_BYTE;
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
