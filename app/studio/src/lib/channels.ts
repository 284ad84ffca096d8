import { indexedDbState, OverBudgetError, Payer, sha256, type Core, type License, type Receipt, type Use } from '@motif/sdk';
import { sessionSigner } from '@motif/sdk/wallet';

import { channelsOf, currencies, gateway, readOperator } from './catalogue.js';
import { base64Of, chainReader, readAccounts } from './chain.js';
import type { Currency } from './money.js';
import { decode, rules } from './rules.js';
import { termsAccount } from './terms-of-work.js';
import { execute } from './transactions.js';
import type { Session } from './wallets.js';

const MOST_SALT = 64;

/** Open channel of a payer at this gateway's operator, as the chain has it. */
export interface OwnChannel {
  readonly channel: string;
  readonly mint: string;
  /** Base units, as all amounts. */
  readonly deposited: string;
  /** Prices and fees that have settled. */
  readonly settled: string;
  /** Deposit that is neither charged nor reserved. */
  readonly free: string;
  /** Operator's fee on top of prices, basis points. */
  readonly feeBps: number;
  readonly licenses: readonly License[];
  /** Whether this browser has the key that signs for it. */
  readonly isOurs: boolean;
}

/** License to accept on a channel. */
export interface Wanted {
  readonly work: string;
  readonly use: Use;
}

/**
 * Returns the open channels of a payer at this gateway's operator: those that the studio opens are found on chain, at once; others by
 * the gateway's list.
 */
export async function ownChannels(payer: string): Promise<OwnChannel[]> {
  const [core, { operator }, served, listed] = await Promise.all([rules(), readOperator(), currencies(), channelsOf(payer)]);
  const likely = served.flatMap(({ mint }) => addressesOf(core, payer, operator, mint));
  const addresses = [...new Set([...listed.map(({ channel }) => channel), ...likely])];
  const accounts = await readAccounts(addresses);
  const own: OwnChannel[] = [];
  for (const [at, address] of addresses.entries()) {
    const decoded = decode(core, 'channel', accounts[at]?.data);
    if (decoded?.channel.operator !== operator || decoded.channel.payer !== payer) continue;
    const { mint, deposited, cumulative: settled, free, operator_fee_bps: feeBps, voucher_key } = decoded.channel;
    const isOurs = (await keyOf(address)).address === voucher_key;
    own.push({ channel: address, mint, deposited, settled, free, feeBps, licenses: decoded.licenses, isOurs });
  }
  return own;
}

/** Returns the addresses of the channels that the studio opens, in its order. */
function addressesOf(core: Core, payer: string, operator: string, mint: string): string[] {
  const address = (salt: number) => core.call('address.channel', { payer, operator, mint, salt: String(salt) }).address;
  return Array.from({ length: MOST_SALT }, (_, salt) => address(salt));
}

/** Returns the session key of a channel, which is created if it does not exist. */
function keyOf(channel: string) {
  return sessionSigner(`channel ${channel}`);
}

/** Opens a channel for a session key of this browser and accepts terms, in one transaction; returns its address. */
export async function openChannel(session: Session, currency: Currency, deposit: bigint, wanted: Wanted): Promise<string> {
  const [core, operator] = await Promise.all([rules(), readOperator()]);
  const payer = session.address;
  const { mint, tokenProgram: token_program } = currency;
  const base = { payer, operator: operator.operator, mint };
  const addresses = addressesOf(core, payer, operator.operator, mint);
  const free = (await readAccounts(addresses)).findIndex((account) => account === undefined);
  if (free < 0) throw new Error(`you have ${MOST_SALT} channels at this operator: close one first`);
  const channel = addresses[free]!;
  const { address: voucher_key } = await keyOf(channel);
  const opening = core.call('instruction.open_channel', {
    ...base,
    token_program,
    salt: String(free),
    voucher_key,
    operator_fee_bps: operator.operator_fee_bps,
    grace_seconds: operator.min_grace_seconds,
    deposit: deposit.toString(),
  });
  await execute(session, [...opening.instructions, ...(await acceptance(payer, channel, currency, wanted))]);
  return channel;
}

async function acceptance(payer: string, channel: string, currency: Currency, { work, use }: Wanted) {
  const core = await rules();
  const { terms } = (await gateway.work(work)).work;
  const priced = terms?.uses.find((one) => one.use === use);
  if (!terms || !priced) throw new Error(`the terms of this work do not license ${use}: choose another use or work`);
  const account = await termsAccount(work, terms.number);
  return core.call('instruction.accept_terms', {
    payer,
    channel,
    terms: base64Of(account.data),
    use,
    max_price: priced.price,
    approval: terms.approval_required,
    token_program: currency.tokenProgram,
  }).instructions;
}

/** Accepts terms on an open channel. */
export async function acceptTerms(session: Session, channel: string, currency: Currency, wanted: Wanted): Promise<void> {
  await execute(session, await acceptance(session.address, channel, currency, wanted));
}

/** Adds to a channel's deposit. */
export async function topUp(session: Session, channel: string, currency: Currency, amount: bigint): Promise<void> {
  const core = await rules();
  const { mint, tokenProgram: token_program } = currency;
  const input = { payer: session.address, channel, mint, token_program, amount: amount.toString() };
  await execute(session, core.call('instruction.top_up', input).instructions);
}

/** Has a session key of this browser take the place of a channel's voucher key. */
export async function rotateKey(session: Session, channel: string): Promise<void> {
  const core = await rules();
  const { address: new_key } = await keyOf(channel);
  const input = { payer: session.address, channel, new_key };
  await execute(session, core.call('instruction.rotate_voucher_key', input).instructions);
}

/** Opens the payer of a channel with the session key of this browser; it signs at most `budget` in total. */
export async function openPayer(channel: string, budget: bigint): Promise<Payer> {
  const signer = await keyOf(channel);
  return Payer.open({ gateway, rpc: chainReader, channel, signer, state: indexedDbState(channel), budget });
}

/** Paid generation of the playground. */
export interface Made {
  readonly picture: Blob;
  readonly receipt: Receipt;
}

/**
 * Returns what generations of one unit cost, with the operator's fee, base units.
 *
 * @throws MotifError if the license does not allow them.
 */
export function costOf(core: Core, license: License, feeBps: number, count: number): bigint {
  const now = Math.floor(Date.now() / 1_000);
  return BigInt(core.call('license.charge', { license, units: count, now, operator_fee_bps: feeBps }).total);
}

/** Why generations were not paid for: what is left, and of what. Amounts are base units. */
export class TooDearError extends Error {
  constructor(
    readonly limit: 'budget' | 'deposit',
    readonly cost: bigint,
    readonly left: bigint,
  ) {
    super(`the ${limit} does not cover the generations`);
  }
}

/**
 * Checks that the budget and the deposit cover generations. Nothing is signed.
 *
 * @throws TooDearError; MotifError if the license does not allow them.
 */
export function checkCost(core: Core, payer: Payer, license: number, count: number): void {
  const cost = costOf(core, payer.license(license), payer.operatorFeeBps, count);
  if (cost > payer.available) throw new TooDearError('deposit', cost, payer.available);
  try {
    payer.check(license, count);
  } catch (error) {
    if (!(error instanceof OverBudgetError)) throw error;
    throw new TooDearError('budget', error.total - payer.spent, error.budget - payer.spent);
  }
}

/** Draws pictures and pays for them with one voucher: for all or none. */
export async function generate(payer: Payer, license: number, prompt: string, count: number, onDrawn: () => void): Promise<Made[]> {
  const draw = async (_: unknown, number: number) => {
    const requestDigest = await sha256(`${prompt}\n${number}`);
    const picture = await drawn(`${prompt}\n${number}\n${crypto.randomUUID()}`);
    const outputDigest = await sha256(new Uint8Array(await picture.arrayBuffer()));
    onDrawn();
    return { picture, generation: { license, units: 1, requestDigest, outputDigest } };
  };
  const all = await Promise.all(Array.from({ length: count }, draw));
  const receipts = await payer.generateAll(all.map(({ generation }) => generation));
  return all.map(({ picture }, at) => ({ picture, receipt: receipts[at]! }));
}

const SIDE = 96;
const CELLS = 6;

/** Draws a small pattern from a seed: the playground's output. */
async function drawn(seed: string): Promise<Blob> {
  const digest = await sha256(seed);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext('2d')!;
  const hue = parseInt(digest.slice(0, 4), 16) % 360;
  context.fillStyle = `hsl(${hue} 60% 92%)`;
  context.fillRect(0, 0, SIDE, SIDE);
  const size = SIDE / CELLS;
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const value = parseInt(digest[(cell * 7 + 3) % 64]!, 16);
    const [x, y] = [(cell % CELLS) * size, Math.floor(cell / CELLS) * size];
    context.fillStyle = `hsl(${(hue + value * 6) % 360} 70% ${45 + value}%)`;
    if (value > 6) context.fillRect(x, y, size, size * (value / 16));
  }
  return canvas.convertToBlob({ type: 'image/png' });
}
