import { readerOf, type AccountReader } from '../chain.js';
import { sha256 } from '../bytes.js';
import { callWithForeign } from '../core/module-error.js';
import { PayerCore } from '../core/payer-core.js';
import type { SaleReceipt } from '../core/types.js';
import { MotifError } from '../errors.js';
import { readReceiptKeys } from '../payer/channel-account.js';

/** Settings of {@link verifySale}. */
export interface SaleOptions {
  /** Cluster: the URL of a node's JSON-RPC interface, or a reader of accounts. */
  readonly rpc: string | AccountReader;
  /** Operator that must have sold. Default: any. */
  readonly seller?: string;
  /** Rules. Default: loaded from this package. */
  readonly core?: PayerCore;
}

const RECEIPT = 'motif-receipt';

/**
 * Verifies the receipt of an answer that was bought by x402: signed by the operator's receipt key of the time, for exactly
 * these bytes. `motif receipt verify` proves such a receipt from the chain.
 *
 * @param response Answer of the paywall. Its body is not read.
 * @param body Bytes of the answer.
 * @throws MotifError `receipt-invalid`, `untrusted` if it cannot be read, `account-not-found`.
 */
export async function verifySale(
  response: Response,
  body: Uint8Array<ArrayBuffer>,
  options: SaleOptions,
): Promise<SaleReceipt> {
  const core = options.core ?? (await PayerCore.load());
  const header = response.headers.get(RECEIPT);
  if (header === null) throw new MotifError('receipt-invalid', 'the answer has no receipt');
  const { receipt } = callWithForeign('the receipt', () => core.call('sale.read', { header }));
  if (options.seller !== undefined && receipt.seller !== options.seller) {
    throw new MotifError('receipt-invalid', `the seller is ${receipt.seller}: expected ${options.seller}`);
  }
  const digest = await sha256(body);
  if (receipt.output_digest !== digest && !/^0+$/.test(receipt.output_digest)) {
    throw new MotifError('receipt-invalid', 'the receipt is for other bytes');
  }
  const chain = readerOf(options.rpc);
  core.call('sale.verify', { receipt, keys: await readReceiptKeys(core, chain, receipt.seller) });
  return receipt;
}
