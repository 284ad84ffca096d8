import { toBase64 } from './bytes.js';
import { readerOf, type AccountReader } from './chain.js';
import { callWithForeign } from './core/module-error.js';
import { PayerCore } from './core/payer-core.js';
import { GatewayClient } from './gateway/client.js';
import { readChannel } from './payer/channel-account.js';
import type { Receipt, ReceiptProof } from './wire.js';

/** Where a receipt is proved from. */
export interface ProofOptions {
  /** Gateway that has the receipts of the statement: its URL or a client. */
  readonly gateway: string | GatewayClient;
  /** Cluster: the URL of a node's JSON-RPC interface, or a reader of accounts. */
  readonly rpc: string | AccountReader;
  /** Rules. Default: loaded from this package. */
  readonly core?: PayerCore;
}

/**
 * Proves that a receipt settled: its operator signed it, and it is part of a statement that the channel's account on chain
 * commits to. The gateway is trusted with nothing: it only supplies the path.
 *
 * @throws MotifError `proof-invalid`, `account-not-found`; `refused` with the problem `receipt-not-settled`.
 */
export async function proveReceipt(receipt: Receipt, options: ProofOptions): Promise<ReceiptProof> {
  const core = options.core ?? (await PayerCore.load());
  const chain = readerOf(options.rpc);
  const gateway = typeof options.gateway === 'string' ? new GatewayClient(options.gateway) : options.gateway;
  const proof = { ...(await gateway.proof(receipt.digest)), receipt };
  const { data, receiptKeys: keys } = await readChannel(core, chain, receipt.channel);
  const input = { proof, address: receipt.channel, channel: toBase64(data), keys };
  callWithForeign('the proof', () => core.call('proof.verify', input));
  return proof;
}
