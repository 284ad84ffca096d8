import { RefusedError, type Core, type Instruction } from '@motif/sdk';

import { base64Of, readAccounts, type Account } from './chain.js';
import { channelsOf, gateway } from './catalogue.js';
import type { Currency } from './money.js';
import { hasProof, usageOf } from './record.js';
import { callOther, decode, rules } from './rules.js';
import { executeGroups, packInstructions } from './transactions.js';
import type { Session } from './wallets.js';

/** Settled credit of a work on a channel. */
interface Credit {
  readonly channel: string;
  readonly index: number;
  readonly work: string;
}

/**
 * Collects what is settled for works, pulls what works made from them owe, and pays the person its shares: in one
 * transaction if it fits, else in as few as fit.
 *
 * @returns Signatures of the transactions; none if there is nothing to claim.
 */
export async function claimAll(session: Session, works: readonly string[], currency: Currency): Promise<string[]> {
  const core = await rules();
  const { mint } = currency;
  const credits = await findCredits(core, session, works, mint);
  const pulls = await findPulls(core, works, mint);
  const credited = new Set([...credits.map(({ work }) => work), ...pulls.map(({ parent }) => parent)]);
  const instructions = await openMissing(core, session.address, [...credited], mint);
  for (const [channel, licenses] of byChannel(credits)) {
    const list = licenses.map(({ index, work }) => ({ index, work }));
    instructions.push(...core.call('instruction.collect', { channel, mint, licenses: list }).instructions);
  }
  for (const { child, parent } of pulls) {
    instructions.push(...core.call('instruction.pull', { child, parent, mint }).instructions);
  }
  const claims: Instruction[] = [];
  for (const work of works) claims.push(...(await claimOf(core, session, work, currency, credited.has(work))));
  if (claims.length > 0) claims.unshift(...(await createTokens(core, session, currency)));
  return executeGroups(session, packInstructions([...instructions, ...claims]));
}

/** Finds channels with settled credit of works by the platforms that used them. It needs the person's proof. */
async function findCredits(core: Core, session: Session, works: readonly string[], mint: string): Promise<Credit[]> {
  if (!hasProof(session.address)) return [];
  const payers = new Set<string>();
  for (const work of works) {
    for (const payer of await payersOf(work, session.address)) payers.add(payer);
  }
  const channels = (await Promise.all([...payers].map(channelsOf))).flat().filter((channel) => channel.mint === mint);
  const accounts = await readAccounts(channels.map(({ channel }) => channel));
  return accounts.flatMap((account, at) => {
    const licenses = decode(core, 'channel', account?.data)?.licenses ?? [];
    return licenses.flatMap(({ work, settled, collected }, index) => {
      const isNew = works.includes(work) && BigInt(settled) > BigInt(collected);
      return isNew ? [{ channel: channels[at]!.channel, index, work }] : [];
    });
  });
}

/** Returns the platforms that used a work; none if the person may not see them, as the former creator of a work. */
async function payersOf(work: string, person: string): Promise<string[]> {
  try {
    return (await usageOf(work, 'platform', person)).map(({ name }) => name);
  } catch (error) {
    if (error instanceof RefusedError && error.problem.type === 'not-the-person') return [];
    throw error;
  }
}

function byChannel(credits: readonly Credit[]): Map<string, Credit[]> {
  const channels = new Map<string, Credit[]>();
  for (const credit of credits) channels.set(credit.channel, [...(channels.get(credit.channel) ?? []), credit]);
  return channels;
}

/** Returns instructions that open missing earnings of works and all their ancestors. */
async function openMissing(core: Core, funder: string, works: readonly string[], mint: string): Promise<Instruction[]> {
  const seen = new Set<string>();
  const missing: Instruction[] = [];
  for (let level = [...new Set(works)]; level.length > 0; ) {
    for (const work of level) seen.add(work);
    const addresses = level.map((work) => core.call('address.earnings', { work, mint }).address);
    const read = await readAccounts([...addresses, ...level]);
    const parents = level.flatMap((work, at) => {
      if (!read[at]) missing.push(...core.call('instruction.open_earnings', { funder, work, mint }).instructions);
      const decoded = decode(core, 'work', read[level.length + at]?.data);
      return decoded?.work.parents.map((parent) => parent.work) ?? [];
    });
    level = [...new Set(parents)].filter((parent) => !seen.has(parent));
  }
  return missing;
}

interface Books {
  readonly earnings: Account | undefined;
  readonly work: Account | undefined;
}

async function readBooks(core: Core, work: string, mint: string): Promise<Books> {
  const address = core.call('address.earnings', { work, mint }).address;
  const [earnings, account] = await readAccounts([address, work]);
  return { earnings, work: account };
}

/** Finds shares that works owe to their parents among `works`. */
async function findPulls(core: Core, works: readonly string[], mint: string): Promise<{ child: string; parent: string }[]> {
  const pulls: { child: string; parent: string }[] = [];
  for (const parent of works) {
    for (const { work: child } of (await gateway.work(parent)).children) {
      const books = await readBooks(core, child, mint);
      if (!books.earnings || !books.work) continue;
      const share = owed(core, books).parents.find(({ work }) => work === parent);
      if (share && BigInt(share.amount) > 0n) pulls.push({ child, parent });
    }
  }
  return pulls;
}

/** Returns instructions that bring earnings to their work's present split and dispute. */
function bringUpToDate(core: Core, funder: string, work: string, mint: string, books: Books): Instruction[] {
  const earnings = decode(core, 'earnings', books.earnings?.data)?.earnings;
  const present = decode(core, 'work', books.work?.data)?.work;
  if (!earnings || !present) return [];
  const isOldSplit = earnings['split_version'] !== present['split_version'];
  const isUntold = present.status === 'disputed' && earnings['dispute'] !== present['disputes'];
  return [
    ...(isOldSplit ? callOther(core, 'instruction.apply_split', { funder, work, mint }).instructions : []),
    ...(isUntold ? callOther(core, 'instruction.apply_dispute', { work, mint }).instructions : []),
  ];
}

function owed(core: Core, { earnings, work }: Books) {
  return callOther(core, 'earnings.owed', { work: base64Of(work!.data) }, earnings!.data);
}

/** Returns instructions that pay the person its share of a work, if it has one that is or `willBe` above zero. */
async function claimOf(
  core: Core,
  session: Session,
  work: string,
  currency: Currency,
  willBe: boolean,
): Promise<Instruction[]> {
  const { mint, tokenProgram } = currency;
  const books = await readBooks(core, work, mint);
  const present = decode(core, 'work', books.work?.data)?.work;
  if (!present) return [];
  const parts = books.earnings ? owed(core, books).recipients : [];
  const own = parts.find(({ recipient }) => recipient === session.address);
  const isOwed = own !== undefined && BigInt(own.amount) > 0n;
  const at = present.split.findIndex(({ recipient }) => recipient === session.address);
  if (!isOwed && !(willBe && at >= 0)) return [];
  const position = own?.position ?? present.parents.length + at;
  const recipients = [{ position, recipient: session.address }];
  const claim = core.call('instruction.claim', { work, mint, token_program: tokenProgram, recipients }).instructions;
  return [...bringUpToDate(core, session.address, work, mint, books), ...claim];
}

async function createTokens(core: Core, session: Session, currency: Currency): Promise<Instruction[]> {
  const { mint, tokenProgram } = currency;
  const owner = session.address;
  const tokens = core.call('address.tokens', { owner, mint, token_program: tokenProgram }).address;
  if ((await readAccounts([tokens]))[0]) return [];
  return core.call('instruction.create_tokens', { funder: owner, owner, mint, token_program: tokenProgram }).instructions;
}
