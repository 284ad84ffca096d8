import { AccountRole, address, type AccountMeta, type Instruction, type TransactionSigner } from '@solana/kit';

import { fromBase64 } from '../bytes.js';
import type { Instruction as InstructionJson } from '../core/types.js';

/** Account of an instruction, with its signer if it has one. */
type Meta = AccountMeta & { readonly signer?: TransactionSigner };

/**
 * Converts instructions of the module of rules, such as `core.call('instruction.open_channel', ...)`, into those of
 * `@solana/kit`. The signers are attached to the accounts that sign.
 */
export function toKitInstructions(
  { instructions }: { readonly instructions: readonly InstructionJson[] },
  signers: readonly TransactionSigner[] = [],
): readonly Instruction[] {
  return instructions.map(({ program, accounts, data }) => ({
    programAddress: address(program),
    accounts: accounts.map((account) => toMeta(account, signers)),
    data: fromBase64(data),
  }));
}

function toMeta(account: InstructionJson['accounts'][number], signers: readonly TransactionSigner[]): Meta {
  const role = roleOf(account);
  const signer = account.is_signer ? signers.find((one) => one.address === account.address) : undefined;
  return { address: address(account.address), role, ...(signer === undefined ? {} : { signer }) };
}

function roleOf({ is_signer, is_writable }: InstructionJson['accounts'][number]): AccountRole {
  if (is_signer) return is_writable ? AccountRole.WRITABLE_SIGNER : AccountRole.READONLY_SIGNER;
  return is_writable ? AccountRole.WRITABLE : AccountRole.READONLY;
}
