import { createWalletSigner, type Wallet } from '@motif/sdk/wallet';
import { RefusedError, type Instruction } from '@motif/sdk';
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  blockhash as toBlockhash,
  compileTransaction,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  isSignerRole,
  isTransactionWithinSizeLimit,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Instruction as KitInstruction,
} from '@solana/kit';

import { texts } from '../texts.js';
import { bytesOf, readAccount, readBlockhash, readNetwork, sendTransaction } from './chain.js';
import { ask } from './http.js';
import type { Session } from './wallets.js';

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111';
const SYSTEM = '11111111111111111111111111111111';
const TRANSFER = 2;
/** Lamports with which a wallet pays any transaction of these pages by itself. */
const ENOUGH = 100_000_000n;
const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr';
const MEMO_TEXT = new TextEncoder().encode('motif:sponsored');
const SIGN_TRANSACTION = 'solana:signTransaction';
const SET_LIMIT = 2;
const MOST_UNITS = 1_000_000;

/** Instruction of the rules, or of the generated clients for `@solana/kit`. */
export type AnyInstruction = Instruction | KitInstruction;

/**
 * Has the wallet sign instructions as one transaction, sends it, and waits until it is confirmed.
 *
 * @returns Signature of the transaction.
 */
export async function execute(session: Session, instructions: readonly AnyInstruction[]): Promise<string> {
  return (await executeGroups(session, [instructions]))[0]!;
}

/** Transactions that a wallet shows for one approval: their blockhash has to last until the last one is sent. */
export const MOST_AT_ONCE = 16;

/** Transaction that a wallet has signed. */
export interface Signed {
  readonly signature: string;
  /** In base64. */
  readonly transaction: string;
  /** Height of the last block that can have it. */
  readonly lastBlock: bigint;
}

/**
 * Has the wallet sign each group as a transaction, many for one approval, and sends them in order, each after the one before is
 * confirmed.
 *
 * @param onSent Called after each confirmed transaction.
 * @returns Signatures of the transactions.
 */
export async function executeGroups(
  session: Session,
  groups: readonly (readonly AnyInstruction[])[],
  onSent?: () => void,
): Promise<string[]> {
  const signatures: string[] = [];
  for (let start = 0; start < groups.length; start += MOST_AT_ONCE) {
    const part = groups.slice(start, start + MOST_AT_ONCE);
    const lifetime = await readBlockhash();
    const sponsored = await Promise.all(part.map((group) => sponsor(session.address, lifetime, group)));
    for (const transaction of await signCompiled(session, sponsored)) {
      signatures.push(await sendTransaction(getBase64EncodedWireTransaction(transaction)));
      onSent?.();
    }
  }
  return signatures;
}

/** Has the wallet sign at most 16 groups of instructions with one approval. */
export async function signAll(session: Session, groups: readonly (readonly AnyInstruction[])[]): Promise<Signed[]> {
  const lifetime = await readBlockhash();
  const signed = await signCompiled(session, groups.map((group) => compile(session.address, lifetime, group)));
  return signed.map((transaction) => ({
    signature: getSignatureFromTransaction(transaction),
    transaction: getBase64EncodedWireTransaction(transaction),
    lastBlock: lifetime.lastValidBlockHeight,
  }));
}

/** Has the wallet sign transactions with one approval. */
function signCompiled({ wallet, account, chain }: Session, transactions: readonly ReturnType<typeof compile>[]) {
  return createWalletSigner(together(wallet, transactions.length), account, chain).modifyAndSignTransactions(transactions);
}

/**
 * Compiles instructions into a transaction that the operator's sponsor pays for if the wallet has too little SOL and the sponsor
 * takes them, and else the wallet.
 */
async function sponsor(wallet: string, lifetime: Lifetime, instructions: readonly AnyInstruction[]) {
  const own = compile(wallet, lifetime, instructions);
  if (!(await readNetwork()).sponsor || ((await readAccount(wallet))?.lamports ?? 0n) > ENOUGH) return own;
  try {
    const body = { transaction: getBase64EncodedWireTransaction(own) };
    const quote = await ask<{ sponsor: string; lamports: string }>('/v1/chain/sponsorships', { method: 'POST', body });
    const rent = BigInt(quote.lamports);
    const kit = instructions.map(toKit);
    const signs = rent > 0n || kit.some(({ accounts = [] }) => accounts.some((one) => one.address === wallet && isSignerRole(one.role)));
    const first = rent > 0n ? [transferLamports(quote.sponsor, wallet, rent)] : [];
    // The wallet signs whatever is sent for it.
    const last = signs ? [] : [{ programAddress: address(MEMO), accounts: [{ address: address(wallet), role: AccountRole.READONLY_SIGNER }], data: MEMO_TEXT }];
    return compile(quote.sponsor, lifetime, [...first, ...kit, ...last]);
  } catch (error) {
    if (error instanceof RefusedError) return own;
    throw error;
  }
}

/** System program's transfer. */
function transferLamports(from: string, to: string, lamports: bigint): KitInstruction {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, TRANSFER, true);
  view.setBigUint64(4, lamports, true);
  const accounts = [{ address: address(from), role: AccountRole.WRITABLE_SIGNER }, { address: address(to), role: AccountRole.WRITABLE }];
  return { programAddress: address(SYSTEM), accounts, data };
}

type Lifetime = Awaited<ReturnType<typeof readBlockhash>>;

/** Compiles instructions into an unsigned transaction. @throws Error if it is longer than a transaction may be. */
export function compile(payer: string, { blockhash, lastValidBlockHeight }: Lifetime, instructions: readonly AnyInstruction[]) {
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (one) => setTransactionMessageFeePayer(address(payer), one),
    (one) => setTransactionMessageLifetimeUsingBlockhash({ blockhash: toBlockhash(blockhash), lastValidBlockHeight }, one),
    (one) => appendTransactionMessageInstructions([computeLimit(MOST_UNITS), ...instructions.map(toKit)], one),
  );
  const transaction = compileTransaction(message);
  if (!isTransactionWithinSizeLimit(transaction)) throw new Error(texts.errors.tooLarge);
  return transaction;
}

interface SignInput {
  readonly transaction: Uint8Array;
}

interface SignFeature {
  signTransaction(...inputs: SignInput[]): Promise<readonly { readonly signedTransaction: Uint8Array }[]>;
}

/** Returns a wallet that collects `count` requests for a signature and passes them on as one, which its owner approves once. */
function together(wallet: Wallet, count: number): Wallet {
  const feature = wallet.features[SIGN_TRANSACTION] as SignFeature;
  const inputs: SignInput[] = [];
  let pass: (answer: ReturnType<SignFeature['signTransaction']>) => void;
  const answer = new Promise<readonly { readonly signedTransaction: Uint8Array }[]>((resolve) => (pass = resolve));
  const signTransaction = async (input: SignInput) => {
    const index = inputs.push(input) - 1;
    if (inputs.length === count) pass(feature.signTransaction(...inputs));
    const signed = (await answer)[index];
    return signed ? [signed] : [];
  };
  const { name, chains, accounts, features } = wallet;
  return { name, chains, accounts, features: { ...features, [SIGN_TRANSACTION]: { ...feature, signTransaction } } };
}

const MOST_BYTES = 1_100;
/** Bytes that a sponsor adds: its signature and key, and a transfer or a memo. */
const SPONSOR_BYTES = 130;
const MOST_ACCOUNTS = 40;

/** Divides instructions into groups that fit a transaction each, in order. */
export async function packInstructions(instructions: readonly Instruction[]): Promise<Instruction[][]> {
  const most = (await readNetwork()).sponsor ? MOST_BYTES - SPONSOR_BYTES : MOST_BYTES;
  const groups: Instruction[][] = [];
  for (const instruction of instructions) {
    const last = groups.at(-1);
    if (last && fits([...last, instruction], most)) last.push(instruction);
    else groups.push([instruction]);
  }
  return groups;
}

/** Whether instructions fit one transaction, with room for what a wallet adds. */
export function fits(instructions: readonly Instruction[], most = MOST_BYTES): boolean {
  const addresses = new Set(instructions.flatMap(({ program, accounts }) => [program, ...accounts.map((one) => one.address)]));
  const bodies = instructions.reduce((sum, { accounts, data }) => sum + 4 + accounts.length + (data.length * 3) / 4, 0);
  return addresses.size <= MOST_ACCOUNTS && 64 + 3 + 32 * (addresses.size + 2) + 34 + bodies + 8 <= most;
}

function toKit(instruction: AnyInstruction): KitInstruction {
  if ('programAddress' in instruction) {
    // The wallet's signer is the fee payer's: kit allows one signer object for an address.
    const accounts = (instruction.accounts ?? []).map(({ address: at, role }) => ({ address: at, role }));
    return { ...instruction, accounts };
  }
  const accounts = instruction.accounts.map((meta) => ({ address: address(meta.address), role: roleOf(meta) }));
  return { programAddress: address(instruction.program), accounts, data: bytesOf(instruction.data) };
}

function roleOf({ is_signer, is_writable }: { is_signer: boolean; is_writable: boolean }): AccountRole {
  if (is_signer) return is_writable ? AccountRole.WRITABLE_SIGNER : AccountRole.READONLY_SIGNER;
  return is_writable ? AccountRole.WRITABLE : AccountRole.READONLY;
}

function computeLimit(units: number): KitInstruction {
  const data = new Uint8Array(5);
  data[0] = SET_LIMIT;
  new DataView(data.buffer).setUint32(1, units, true);
  return { programAddress: address(COMPUTE_BUDGET), data };
}
