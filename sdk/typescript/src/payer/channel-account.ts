import type { AccountReader } from '../chain.js';
import type { PayerCore } from '../core/payer-core.js';
import type { ReceiptKey } from '../core/types.js';
import { MotifError } from '../errors.js';

/** Channel as read from the chain. */
export interface ChannelOnChain {
  /** Data of the account. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly voucherKey: string;
  readonly operator: string;
  /** Keys that sign the operator's receipts. */
  readonly receiptKeys: readonly ReceiptKey[];
}

/**
 * Reads a channel and the receipt keys of its operator from the chain.
 *
 * @throws MotifError `account-not-found`, `account-invalid`.
 */
export async function readChannel(core: PayerCore, chain: AccountReader, address: string): Promise<ChannelOnChain> {
  const data = await readOwned(core, chain, address, 'channel');
  const channel = core.call('account.decode', {}, data);
  if (channel.kind !== 'channel') throw invalid(address, 'channel');
  const { operator, voucher_key: voucherKey } = channel.channel;
  return { data, voucherKey, operator, receiptKeys: await readReceiptKeys(core, chain, operator) };
}

/**
 * Reads the keys that sign an operator's receipts from the chain.
 *
 * @param authority Authority of the operator.
 * @throws MotifError `account-not-found`, `account-invalid`.
 */
export async function readReceiptKeys(
  core: PayerCore,
  chain: AccountReader,
  authority: string,
): Promise<readonly ReceiptKey[]> {
  const { address } = core.call('address.operator', { authority });
  const decoded = core.call('account.decode', {}, await readOwned(core, chain, address, 'operator'));
  if (decoded.kind !== 'operator') throw invalid(address, 'operator');
  return decoded.operator.receipt_keys;
}

/** Reads an account of the payments program. */
async function readOwned(core: PayerCore, chain: AccountReader, address: string, kind: string) {
  const account = await chain.readAccount(address);
  if (!account) throw new MotifError('account-not-found', `there is no ${kind} at ${address} on this cluster`);
  if (account.owner !== core.call('version', {}).programs['payments']) throw invalid(address, kind);
  return account.data;
}

function invalid(address: string, kind: string): MotifError {
  return new MotifError('account-invalid', `the account ${address} is not a ${kind} of the payments program`);
}
