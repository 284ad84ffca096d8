import { createWalletSigner } from '@motif/sdk/wallet';
import type { Instruction } from '@motif/sdk';
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  blockhash as toBlockhash,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type Instruction as KitInstruction,
} from '@solana/kit';

import { bytesOf, readBlockhash, sendTransaction } from './chain.js';
import type { Session } from './wallets.js';

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111';
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
  const signer = createWalletSigner(session.wallet, session.account, session.chain);
  const { blockhash, lastValidBlockHeight } = await readBlockhash();
  const lifetime = { blockhash: toBlockhash(blockhash), lastValidBlockHeight };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (one) => setTransactionMessageFeePayerSigner(signer, one),
    (one) => setTransactionMessageLifetimeUsingBlockhash(lifetime, one),
    (one) => appendTransactionMessageInstructions([computeLimit(MOST_UNITS), ...instructions.map(toKit)], one),
  );
  const signed = await signTransactionMessageWithSigners(message);
  return sendTransaction(getBase64EncodedWireTransaction(signed));
}

/** Sends instructions in order, in groups that fit a transaction each. */
export async function executeGroups(session: Session, groups: readonly (readonly Instruction[])[]): Promise<string[]> {
  const signatures: string[] = [];
  for (const group of groups) signatures.push(await execute(session, group));
  return signatures;
}

const MOST_BYTES = 1_100;
const MOST_ACCOUNTS = 40;

/** Divides instructions into groups that fit a transaction each, in order. */
export function packInstructions(instructions: readonly Instruction[]): Instruction[][] {
  const groups: Instruction[][] = [];
  for (const instruction of instructions) {
    const last = groups.at(-1);
    if (last && fits([...last, instruction])) last.push(instruction);
    else groups.push([instruction]);
  }
  return groups;
}

function fits(instructions: readonly Instruction[]): boolean {
  const addresses = new Set(instructions.flatMap(({ program, accounts }) => [program, ...accounts.map((one) => one.address)]));
  const bodies = instructions.reduce((sum, { accounts, data }) => sum + 4 + accounts.length + (data.length * 3) / 4, 0);
  return addresses.size <= MOST_ACCOUNTS && 64 + 3 + 32 * (addresses.size + 2) + 34 + bodies + 8 <= MOST_BYTES;
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
