import type { Core, Instruction } from '@motif/sdk';

import { base64Of, readAccounts, type Account } from './chain.js';
import { channelsOf, gateway } from './catalogue.js';
import type { Currency } from './money.js';
import { floorShare } from './pool.js';
import { hasProof, usageOfAll } from './record.js';
import { callOther, decode, rules } from './rules.js';
import { executeGroups, packInstructions } from './transactions.js';
import type { Session } from './wallets.js';

/** Settled credit of a work on a channel. */
interface Credit {
  readonly channel: string;
  readonly index: number;
  readonly work: string;
  readonly amount: bigint;
}

/**
 * Collects what is settled for works, pulls what works made from them owe, down the whole lineage, and pays the person its
 * shares: in one transaction if it fits, else in as few as fit.
 *
 * @returns Signatures of the transactions; none if there is nothing to claim.
 */
export async function claimAll(session: Session, works: readonly string[], currency: Currency): Promise<string[]> {
  const core = await rules();
  const { mint } = currency;
  const credits = await findCredits(core, session, works, mint);
  const books = await readLineage(core, works, mint);
  const added = new Map<string, bigint>();
  const add = (work: string, amount: bigint) => added.set(work, (added.get(work) ?? 0n) + amount);
  for (const { work, amount } of credits) add(work, amount);
  const pulls = findPulls(books, added, add);
  const opened = [...added.keys()].filter((work) => !books.get(work)?.earnings);
  const instructions = opened.flatMap((work) => core.call('instruction.open_earnings', { funder: session.address, work, mint }).instructions);
  for (const [channel, licenses] of byChannel(credits)) {
    const list = licenses.map(({ index, work }) => ({ index, work }));
    instructions.push(...core.call('instruction.collect', { channel, mint, licenses: list }).instructions);
  }
  for (const { child, parent } of pulls) {
    instructions.push(...core.call('instruction.pull', { child, parent, mint }).instructions);
  }
  const claims = works.flatMap((work) => claimOf(core, session, work, currency, books.get(work), added.get(work) ?? 0n));
  if (claims.length > 0) claims.unshift(...(await createTokens(core, session, currency)));
  return executeGroups(session, await packInstructions([...instructions, ...claims]));
}

/** Finds channels with settled credit of works by the platforms that used them. It needs the person's proof. */
async function findCredits(core: Core, session: Session, works: readonly string[], mint: string): Promise<Credit[]> {
  if (!hasProof(session.address)) return [];
  const payers = (await usageOfAll(works, 'platform', session.address)).map(({ name }) => name);
  const channels = (await Promise.all([...new Set(payers)].map(channelsOf))).flat().filter((channel) => channel.mint === mint);
  const accounts = await readAccounts(channels.map(({ channel }) => channel));
  return accounts.flatMap((account, at) => {
    const licenses = decode(core, 'channel', account?.data)?.licenses ?? [];
    return licenses.flatMap(({ work, settled, collected }, index) => {
      const amount = BigInt(settled) - BigInt(collected);
      return works.includes(work) && amount > 0n ? [{ channel: channels[at]!.channel, index, work, amount }] : [];
    });
  });
}

function byChannel(credits: readonly Credit[]): Map<string, Credit[]> {
  const channels = new Map<string, Credit[]>();
  for (const credit of credits) channels.set(credit.channel, [...(channels.get(credit.channel) ?? []), credit]);
  return channels;
}

/** What the chain says about the earnings of a work in one currency. */
interface Books {
  readonly address: string;
  readonly work: WorkFields;
  /** Absent before the first credit. */
  readonly earnings: EarningsFields | undefined;
  readonly owed: ReturnType<typeof owedOf>;
}

type WorkFields = NonNullable<ReturnType<typeof decode<'work'>>>['work'];
type EarningsFields = NonNullable<ReturnType<typeof decode<'earnings'>>>['earnings'];

const WHOLE = 10_000;
const AT_ONCE = 6;

/** Reads works and all works made from them, each before those that it was made from. */
async function readLineage(core: Core, works: readonly string[], mint: string): Promise<Map<string, Books>> {
  const children = new Map<string, readonly string[]>();
  for (let level = [...new Set(works)]; level.length > 0; ) {
    const next: string[] = [];
    for (let start = 0; start < level.length; start += AT_ONCE) {
      const part = level.slice(start, start + AT_ONCE);
      const details = await Promise.all(part.map((work) => gateway.work(work)));
      details.forEach((one, at) => {
        const made = one.children.map(({ work }) => work);
        children.set(part[at]!, made);
        next.push(...made);
      });
    }
    level = [...new Set(next)].filter((work) => !children.has(work));
  }
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (work: string) => {
    if (seen.has(work)) return;
    seen.add(work);
    for (const child of children.get(work) ?? []) visit(child);
    ordered.push(work);
  };
  for (const work of children.keys()) visit(work);
  return readBooks(core, ordered, mint);
}

async function readBooks(core: Core, works: readonly string[], mint: string): Promise<Map<string, Books>> {
  const addresses = works.map((work) => core.call('address.earnings', { work, mint }).address);
  const read = await readAccounts([...works, ...addresses]);
  const books = new Map<string, Books>();
  works.forEach((address, at) => {
    const [account, earnings] = [read[at], read[works.length + at]];
    const work = decode(core, 'work', account?.data)?.work;
    if (!work) return;
    const fields = decode(core, 'earnings', earnings?.data)?.earnings;
    books.set(address, { address, work, earnings: fields, owed: owedOf(core, account, fields ? earnings : undefined) });
  });
  return books;
}

function owedOf(core: Core, work: Account | undefined, earnings: Account | undefined) {
  if (!work || !earnings) return { parents: [], recipients: [] };
  return callOther(core, 'earnings.owed', { work: base64Of(work.data) }, earnings.data);
}

/** Finds the shares that works owe to works that they were made from; `add` is told what these get. */
function findPulls(books: ReadonlyMap<string, Books>, added: ReadonlyMap<string, bigint>, add: (work: string, amount: bigint) => void) {
  const pulls: { child: string; parent: string }[] = [];
  for (const { address: child, work, owed } of books.values()) {
    const isFrozen = work.status === 'disputed';
    for (const { work: parent, share_bps } of work.parents) {
      if (!books.has(parent)) continue;
      const before = BigInt(owed.parents.find((part) => part.work === parent)?.amount ?? 0);
      // Floors of totals: at least this much can be pulled after the credits.
      const amount = before + (isFrozen ? 0n : floorShare(added.get(child) ?? 0n, share_bps));
      if (amount === 0n) continue;
      pulls.push({ child, parent });
      add(parent, amount);
    }
  }
  return pulls;
}

/** Returns instructions that bring earnings to their work's present split and dispute. */
function bringUpToDate(core: Core, funder: string, mint: string, { address: work, work: present, earnings }: Books): Instruction[] {
  if (!earnings) return [];
  const isOldSplit = earnings['split_version'] !== present['split_version'];
  const isUntold = present.status === 'disputed' && earnings['dispute'] !== present['disputes'];
  return [
    ...(isOldSplit ? callOther(core, 'instruction.apply_split', { funder, work, mint }).instructions : []),
    ...(isUntold ? callOther(core, 'instruction.apply_dispute', { work, mint }).instructions : []),
  ];
}

/** Returns instructions that pay the person its share of a work that earns `added` before; none if it has none above zero. */
function claimOf(core: Core, session: Session, work: string, currency: Currency, books: Books | undefined, added: bigint): Instruction[] {
  if (!books) return [];
  const { mint, tokenProgram } = currency;
  const { parents, split, status } = books.work;
  const own = books.owed.recipients.find(({ recipient }) => recipient === session.address);
  const at = split.findIndex(({ recipient }) => recipient === session.address);
  const ownBps = WHOLE - parents.reduce((sum, { share_bps }) => sum + share_bps, 0);
  const more = status === 'disputed' ? 0n : floorShare(floorShare(added, ownBps), split[at]?.share_bps ?? 0);
  if (BigInt(own?.amount ?? 0) + more === 0n) return [];
  const position = own?.position ?? parents.length + at;
  const recipients = [{ position, recipient: session.address }];
  const claim = core.call('instruction.claim', { work, mint, token_program: tokenProgram, recipients }).instructions;
  return [...bringUpToDate(core, session.address, mint, books), ...claim];
}

async function createTokens(core: Core, session: Session, currency: Currency): Promise<Instruction[]> {
  const { mint, tokenProgram } = currency;
  const owner = session.address;
  const tokens = core.call('address.tokens', { owner, mint, token_program: tokenProgram }).address;
  if ((await readAccounts([tokens]))[0]) return [];
  return core.call('instruction.create_tokens', { funder: owner, owner, mint, token_program: tokenProgram }).instructions;
}
