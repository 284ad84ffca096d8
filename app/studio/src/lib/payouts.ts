import { sha256, type Core, type Instruction } from '@motif/sdk';

import { base64Of, readAccounts, readBlockhash, sendTransaction, transactionState } from './chain.js';
import { parseAmount, type Currency } from './money.js';
import { rules } from './rules.js';
import { isAddress } from './shares.js';
import { fits, MOST_AT_ONCE, signAll } from './transactions.js';
import type { Session } from './wallets.js';
import { texts } from '../texts.js';

/** Payment to one person. */
export interface Payment {
  readonly recipient: string;
  /** Base units. */
  readonly amount: bigint;
  /** Tasks that it pays for; absent if the list has amounts. */
  readonly tasks?: number;
}

/** Payments of a signed transaction. */
interface Batch {
  readonly signature: string;
  /** Height of the last block that can have it. */
  readonly lastBlock: string;
  /** Positions in the list: the first, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/** List of payments that was begun. It is kept in the browser, so that no person is paid twice after a closed tab. */
export interface Payout {
  /** SHA-256 of the list, which each transaction names. */
  readonly id: string;
  readonly work: string;
  readonly mint: string;
  readonly payments: readonly { readonly recipient: string; readonly amount: string; readonly tasks?: number }[];
  readonly batches: readonly Batch[];
}

const MOST_PAYMENTS = 2_000;
const MOST_ERRORS = 5;
const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr';
const TRANSFER_CHECKED = 12;
const KEY = 'motif-payout';
/** Blocks for which a blockhash is valid, and by which nodes may differ. */
const [BLOCKS, MARGIN] = [150n, 32n];
const PATIENCE = 2_000;

/** Reads lines `address, amount`, or `address, tasks` with the amount of a task; the errors say what is wrong in which line. */
export function readPayments(list: string, decimals: number, rate?: bigint): { payments: Payment[]; errors: string[] } {
  const payments: Payment[] = [];
  const errors: string[] = [];
  const seen = new Set<string>();
  list.split('\n').forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    const [recipient = '', value = '', ...rest] = text.split(/[\s,;]+/);
    const tasks = /^[1-9]\d{0,6}$/.test(value) ? Number(value) : undefined;
    const amount = rate === undefined ? parseAmount(value, decimals) : tasks === undefined ? undefined : rate * BigInt(tasks);
    if (!isAddress(recipient)) errors.push(texts.pool.badAddress(index + 1));
    else if (seen.has(recipient)) errors.push(texts.pool.doubled(index + 1));
    else if (!amount || rest.length > 0) errors.push(rate === undefined ? texts.payouts.badAmount(index + 1) : texts.payouts.badTasks(index + 1));
    else payments.push({ recipient, amount, ...(rate !== undefined && tasks !== undefined ? { tasks } : {}) });
    seen.add(recipient);
  });
  if (payments.length > MOST_PAYMENTS) errors.push(texts.payouts.tooMany(MOST_PAYMENTS));
  return { payments, errors: errors.slice(0, MOST_ERRORS) };
}

/** Creates the record of a list that is about to be paid. */
export async function newPayout(work: string, mint: string, payments: readonly Payment[]): Promise<Payout> {
  const kept = payments.map(({ amount, ...payment }) => ({ ...payment, amount: String(amount) }));
  return { id: await digestOf(work, mint, kept), work, mint, payments: kept, batches: [] };
}

/** Returns the digest of a list: of its text, with a line for each payment. */
export function digestOf(work: string, mint: string, payments: Payout['payments']): Promise<string> {
  return sha256(['motif payout 1', `work ${work}`, `mint ${mint}`, ...payments.map(({ recipient, amount }) => `${recipient} ${amount}`), ''].join('\n'));
}

/** Returns the payout that a person began in this browser. */
export function keptPayout(person: string): Payout | undefined {
  const text = localStorage.getItem(`${KEY} ${person}`);
  return text === null ? undefined : (JSON.parse(text) as Payout);
}

function keep(person: string, payout: Payout): void {
  localStorage.setItem(`${KEY} ${person}`, JSON.stringify(payout));
}

/** Forgets a payout. */
export function dropPayout(person: string): void {
  localStorage.removeItem(`${KEY} ${person}`);
}

/** Whether all payments of a payout are on chain. */
export function isPaid({ payments, batches }: Payout): boolean {
  return batches.reduce((sum, { from, to }) => sum + to - from, 0) === payments.length;
}

/**
 * Pays what is not paid yet, up to 16 transactions for one approval. Signatures are kept before anything is sent: after a closed
 * tab, a transaction that may still be confirmed is waited for, and only payments of those that never can be are signed again.
 *
 * @param onProgress Called with the payout after each confirmed transaction.
 * @returns The payout, all of it paid.
 */
export async function pay(session: Session, begun: Payout, currency: Currency, onProgress: (payout: Payout) => void): Promise<Payout> {
  const core = await rules();
  const person = session.address;
  let payout: Payout = { ...begun, batches: await confirmedOf(begun.batches) };
  keep(person, payout);
  onProgress(payout);
  while (!isPaid(payout)) {
    const groups = await groupsOf(core, person, payout, currency);
    const part = groups.slice(0, MOST_AT_ONCE);
    const signed = await signAll(session, part.map(({ instructions }) => instructions));
    const batches = signed.map(({ signature, lastBlock }, at) => ({ signature, lastBlock: String(lastBlock), from: part[at]!.from, to: part[at]!.to }));
    keep(person, { ...payout, batches: [...payout.batches, ...batches] });
    for (const [at, { transaction }] of signed.entries()) {
      await sendTransaction(transaction);
      payout = { ...payout, batches: [...payout.batches, batches[at]!] };
      onProgress(payout);
    }
    keep(person, payout);
  }
  return payout;
}

/** Returns the transactions that are confirmed, once no other one can be. */
async function confirmedOf(batches: readonly Batch[]): Promise<Batch[]> {
  const confirmed: Batch[] = [];
  for (const batch of batches) {
    if (await isConfirmed(batch)) confirmed.push(batch);
  }
  return confirmed;
}

async function isConfirmed({ signature, lastBlock }: Batch): Promise<boolean> {
  for (;;) {
    // The height is read before the state: a transaction that is unknown after its last block never lands.
    const height = (await readBlockhash()).lastValidBlockHeight - BLOCKS;
    const state = await transactionState(signature);
    if (state === 'confirmed') return true;
    if (state === 'failed' || height > BigInt(lastBlock) + MARGIN) return false;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  }
}

interface Group {
  readonly from: number;
  readonly to: number;
  readonly instructions: readonly Instruction[];
}

/** Divides the payments that are open into transactions, each with consecutive ones. */
async function groupsOf(core: Core, payer: string, payout: Payout, currency: Currency): Promise<Group[]> {
  const { mint, tokenProgram: token_program } = currency;
  const { id, payments, batches } = payout;
  const tokens = (owner: string) => core.call('address.tokens', { owner, mint, token_program }).address;
  const accounts = await readAccounts(payments.map(({ recipient }) => tokens(recipient)));
  const isDone = (at: number) => batches.some(({ from, to }) => from <= at && at < to);
  const groups: Group[] = [];
  for (const [at, { recipient, amount }] of payments.entries()) {
    if (isDone(at)) continue;
    const opening = accounts[at] ? [] : core.call('instruction.create_tokens', { funder: payer, owner: recipient, mint, token_program }).instructions;
    const own = [...opening, transfer(payer, tokens(payer), tokens(recipient), currency, BigInt(amount))];
    const last = groups.at(-1);
    const together = last && last.to === at ? [memo(id, last.from, at + 1), ...last.instructions.slice(1), ...own] : undefined;
    if (last && together && fits(together)) groups[groups.length - 1] = { from: last.from, to: at + 1, instructions: together };
    else groups.push({ from: at, to: at + 1, instructions: [memo(id, at, at + 1), ...own] });
  }
  return groups;
}

/** Names the list, whose digest covers the work, and the positions in it that a transaction pays. Gateways relay transfers with it. */
function memo(id: string, from: number, to: number): Instruction {
  const data = base64Of(new TextEncoder().encode(`motif:payout:${id}:${from}-${to}`));
  return { program: MEMO, accounts: [], data };
}

/** `TransferChecked` of both token programs. */
function transfer(owner: string, from: string, to: string, { mint, decimals, tokenProgram }: Currency, amount: bigint): Instruction {
  const data = new Uint8Array(10);
  data[0] = TRANSFER_CHECKED;
  new DataView(data.buffer).setBigUint64(1, amount, true);
  data[9] = decimals;
  const meta = (address: string, is_signer: boolean, is_writable: boolean) => ({ address, is_signer, is_writable });
  const accounts = [meta(from, false, true), meta(mint, false, false), meta(to, false, true), meta(owner, true, false)];
  return { program: tokenProgram, accounts, data: base64Of(data) };
}

/** Returns the receipt file of a payout: what was paid, for which work, in which transactions. */
export function receiptOf(person: string, { id, work, mint, payments, batches }: Payout, title: string): string {
  const rows = payments.map((payment, at) => ({ ...payment, transaction: batches.find(({ from, to }) => from <= at && at < to)?.signature ?? null }));
  const total = payments.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  return `${JSON.stringify({ motif: 'payout', version: 1, id, title, work, payer: person, mint, total: String(total), payments: rows }, undefined, 2)}\n`;
}
