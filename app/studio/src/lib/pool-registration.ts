import { sha256, type Core, type Instruction, type Offer } from '@motif/sdk';

import { readAccounts } from './chain.js';
import type { Currency } from './money.js';
import { parsePercent } from './money.js';
import { planPool, readContributorList, type Contributor, type Pool, type PoolWork } from './pool.js';
import { estimateCost, estimateEarnings, prepare, type Draft, type Registered } from './registration.js';
import { decode, rules } from './rules.js';
import { executeGroups, packInstructions } from './transactions.js';
import type { Session } from './wallets.js';

/** Data set with many contributors as its form has it. It is kept in the browser until all of it is registered. */
export interface PoolDraft {
  readonly digest: string;
  readonly fingerprint: Draft['fingerprint'];
  readonly fileName: string;
  readonly title: string;
  readonly description: string;
  readonly creatorName: string;
  /** Lines of addresses and weights. */
  readonly list: string;
  /** Share of the data set that stays with its owner, percent. */
  readonly keep: string;
  readonly toml: string;
}

const KEY = 'motif-pool';
const MOST_KEPT_BPS = 9_000;
const MOST_TITLE_BYTES = 64;

/** Keeps the draft of a registration that begins. */
export function keepDraft(person: string, draft: PoolDraft): void {
  localStorage.setItem(`${KEY} ${person}`, JSON.stringify(draft));
}

/** Returns the draft of a registration that was begun in this browser. */
export function keptDraft(person: string): PoolDraft | undefined {
  const text = localStorage.getItem(`${KEY} ${person}`);
  return text === null ? undefined : (JSON.parse(text) as PoolDraft);
}

/** Forgets the draft of a registration. */
export function dropDraft(person: string): void {
  localStorage.removeItem(`${KEY} ${person}`);
}

/** Plan of a draft, or what is wrong with it. */
export interface Planned {
  readonly pool: Pool | undefined;
  readonly contributors: readonly Contributor[];
  readonly keepBps: number | undefined;
  readonly errors: readonly string[];
}

/** Plans the works of a list; the plan depends on the list, the share and the owner only. */
export function planOf(list: string, keep: string, owner: string): Planned {
  const { contributors, errors } = readContributorList(list);
  const percent = parsePercent(keep);
  const keepBps = percent !== undefined && percent <= MOST_KEPT_BPS ? percent : undefined;
  const isReady = errors.length === 0 && contributors.length > 0 && keepBps !== undefined;
  const pool = isReady ? planPool(contributors, keepBps, [{ recipient: owner, share_bps: 10_000 }]) : undefined;
  return { pool, contributors, keepBps, errors };
}

/** What a plan costs, in lamports. */
export function costOf({ works, root }: Pool): { registration: bigint; earnings: bigint } {
  const each = works.map((work) => ({ recipients: work.recipients.length, parents: work.parents.length, hasTerms: work === root }));
  return {
    registration: each.reduce((sum, parts) => sum + estimateCost(parts), 0n),
    earnings: each.reduce((sum, { recipients, parents }) => sum + estimateEarnings(recipients + parents), 0n),
  };
}

interface Step {
  readonly work: string;
  readonly instructions: readonly Instruction[];
}

/** What is to be registered, and how much of it is on chain. */
export interface PoolProgress {
  readonly all: number;
  readonly done: number;
}

/** Returns how many works of a plan are on chain. */
export async function progressOf(creator: string, pool: Pool, digest: string): Promise<PoolProgress> {
  const core = await rules();
  const { steps, rootAddress } = await stepsOf(core, creator, pool, digest, '');
  const accounts = await readAccounts([...steps.map(({ work }) => work), rootAddress]);
  return { all: accounts.length, done: accounts.filter((account) => account && account.data.length > 0).length };
}

/**
 * Registers the works of a plan that are not on chain yet, parents first and the data set last, and publishes its terms.
 *
 * @param onProgress Called after each transaction.
 */
export async function registerPool(
  session: Session,
  draft: PoolDraft,
  pool: Pool,
  offer: Offer | undefined,
  currency: Currency,
  onProgress: (progress: PoolProgress) => void,
): Promise<Registered> {
  const core = await rules();
  const creator = session.address;
  keepDraft(creator, draft);
  const { steps, parents } = await stepsOf(core, creator, pool, draft.digest, draft.title);
  const { work, instructions, upload } = await prepare(creator, rootDraft(draft, pool.root, parents, offer, currency));
  const accounts = await readAccounts([...steps.map((step) => step.work), work]);
  const isThere = (at: number) => (accounts[at]?.data.length ?? 0) > 0;
  const root = decode(core, 'work', accounts.at(-1)?.data)?.work;
  const missing = steps.filter((_, at) => !isThere(at)).map((step) => step.instructions);
  // The data set's registration is the first of its instructions, the publication of its terms the second.
  const rest = root ? instructions.slice(1).filter(() => root.latest_terms === 0) : instructions;
  const [all, begun] = [steps.length + 1, steps.length - missing.length];
  let sent = 0;
  onProgress({ all, done: begun + (root ? 1 : 0) });
  const signatures = await executeGroups(session, [...missing, ...(await packInstructions(rest))], () => {
    sent += 1;
    onProgress({ all, done: Math.min(begun + sent, all) });
  });
  const uploadError = await upload();
  dropDraft(creator);
  return { work, signature: signatures.at(-1) ?? '', uploadError };
}

/** Builds the registration of each group. A group's content is the text that names its data set, its place and who gets what. */
async function stepsOf(core: Core, creator: string, pool: Pool, digest: string, title: string) {
  const steps: Step[] = [];
  const addresses = new Map<PoolWork, string>();
  for (const work of pool.works) {
    if (work === pool.root) continue;
    const content_digest = await sha256(groupText(work, digest, addresses));
    const address = core.call('address.work', { creator, content_digest }).address;
    addresses.set(work, address);
    const split = work.recipients.length > 0 ? work.recipients : [{ recipient: creator, share_bps: 10_000 }];
    const parents = parentsOf(work, addresses, creator);
    const registration = { kind: 'dataset' as const, content_digest, title: groupTitle(title, work.place), parents, split };
    steps.push({ work: address, instructions: core.call('instruction.register_work', { creator, registration }).instructions });
  }
  const rootAddress = core.call('address.work', { creator, content_digest: digest }).address;
  return { steps, parents: parentsOf(pool.root, addresses, creator), rootAddress };
}

function parentsOf(work: PoolWork, addresses: ReadonlyMap<PoolWork, string>, owner: string) {
  return work.parents.map((parent) => ({ work: addresses.get(parent)!, share_bps: parent.share_bps, right: { owner_signs: owner } }));
}

/** Returns the content of a group: its SHA-256 is what the group's work names. */
export function groupText(work: PoolWork, digest: string, addresses: ReadonlyMap<PoolWork, string>): string {
  const recipients = work.recipients.map(({ recipient, share_bps }) => `recipient ${recipient} ${share_bps}`);
  const parents = work.parents.map((parent) => `work ${addresses.get(parent)} ${parent.share_bps}`);
  return [`motif pool 1`, `data set ${digest}`, `group ${work.place}`, ...recipients, ...parents, ''].join('\n');
}

/** Returns a title that leaves room for 20 recipients in a transaction. */
function groupTitle(title: string, place: string): string {
  const suffix = ` #${place}`;
  let short = title;
  while (new TextEncoder().encode(short + suffix).length > MOST_GROUP_TITLE_BYTES) short = [...short].slice(0, -1).join('');
  return short.trimEnd() + suffix;
}

const MOST_GROUP_TITLE_BYTES = 32;

function rootDraft(draft: PoolDraft, root: PoolWork, parents: Draft['parents'], offer: Offer | undefined, currency: Currency): Draft {
  const { digest, fingerprint, title, description, creatorName } = draft;
  return { kind: 'dataset', digest, fingerprint, title, description, creatorName, links: [], preview: undefined, split: root.recipients, parents, currency, offer };
}

/** Whether a title fits a work. */
export function fitsTitle(title: string): boolean {
  return title.trim() !== '' && new TextEncoder().encode(title).length <= MOST_TITLE_BYTES;
}
