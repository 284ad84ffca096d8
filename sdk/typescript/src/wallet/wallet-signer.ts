import {
  address,
  decompileTransactionMessage,
  getBase64Decoder,
  getCompiledTransactionMessageDecoder,
  getTransactionCodec,
  type Instruction,
  type Transaction,
  type TransactionModifyingSigner,
  type TransactionMessageBytes,
  type TransactionWithinSizeLimit,
  type TransactionWithLifetime,
} from '@solana/kit';

import { MotifError } from '../errors.js';
import { signTransactionFeature, type Wallet, type WalletAccount } from './wallet-standard.js';

type Signable = Transaction & TransactionWithinSizeLimit & TransactionWithLifetime;

/**
 * Returns a signer of `@solana/kit` whose key is in a wallet of the browser.
 *
 * A wallet may add instructions, such as a priority fee or assertions. What it returns is refused unless every instruction
 * of the page is still there, unchanged and in its order.
 *
 * @param chain Cluster, such as `solana:mainnet`.
 */
export function createWalletSigner(wallet: Wallet, account: WalletAccount, chain: string): TransactionModifyingSigner {
  const { signTransaction } = signTransactionFeature(wallet);
  const codec = getTransactionCodec();
  const sign = async (transaction: Signable): Promise<Signable> => {
    const bytes = Uint8Array.from(codec.encode(transaction));
    const [signed] = await signTransaction({ account, transaction: bytes, chain });
    if (!signed) throw new MotifError('signer-failed', `the wallet ${wallet.name} returned no transaction`);
    const returned = codec.decode(signed.signedTransaction);
    assertContains(returned.messageBytes, transaction.messageBytes, wallet.name);
    // A lifetime is a part of the message that kit keeps beside it: a wallet does not replace it.
    return { ...returned, lifetimeConstraint: transaction.lifetimeConstraint } as Signable;
  };
  return {
    address: address(account.address),
    modifyAndSignTransactions: (transactions) => {
      return Promise.all(transactions.map((transaction) => sign(transaction as Signable)));
    },
  };
}

/** @throws MotifError if a message lacks an instruction of another one, or has another fee payer or lifetime. */
function assertContains(returned: TransactionMessageBytes, own: TransactionMessageBytes, wallet: string): void {
  const [signed, expected] = [read(returned), read(own)];
  const rest = signed.instructions[Symbol.iterator]();
  const isNext = (wanted: string) => {
    for (let next = rest.next(); !next.done; next = rest.next()) if (next.value === wanted) return true;
    return false;
  };
  const isComplete = expected.instructions.every(isNext);
  if (!isComplete || signed.feePayer !== expected.feePayer || signed.lifetime !== expected.lifetime) {
    throw new MotifError('signer-failed', `the wallet ${wallet} changed the transaction that it was to sign`);
  }
}

function read(message: TransactionMessageBytes) {
  const compiled = getCompiledTransactionMessageDecoder().decode(message);
  if ('addressTableLookups' in compiled && (compiled.addressTableLookups?.length ?? 0) > 0) {
    throw new MotifError('signer-failed', 'the wallet returned a transaction with lookup tables');
  }
  const { instructions, feePayer } = decompileTransactionMessage(compiled);
  const lifetime = 'lifetimeToken' in compiled ? compiled.lifetimeToken : undefined;
  return { instructions: (instructions as readonly Instruction[]).map(identify), feePayer: feePayer.address, lifetime };
}

/** Returns a text that is the same for equal instructions. */
function identify({ programAddress, accounts = [], data = new Uint8Array() }: Instruction): string {
  const metas = accounts.map((account) => `${account.address}:${account.role}`);
  return [programAddress, ...metas, getBase64Decoder().decode(data)].join(' ');
}
