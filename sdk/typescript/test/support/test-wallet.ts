import { getCompiledTransactionMessageCodec, getTransactionCodec, signBytes, type KeyPairSigner } from '@solana/kit';
import type { Wallet as StandardWallet, WalletAccount as StandardAccount } from '@wallet-standard/base';

import type { CompiledTransactionMessage } from '@solana/kit';

/** Change that a wallet makes before it signs. */
export type Tamper = (message: CompiledTransactionMessage) => CompiledTransactionMessage;

/** Wallet of Wallet Standard whose key is in this process. */
export class TestWallet implements StandardWallet {
  readonly version = '1.0.0';
  readonly name = 'Test Wallet';
  readonly icon = 'data:image/svg+xml;base64,PHN2Zy8+';
  readonly chains = ['solana:localnet'] as const;
  readonly features: StandardWallet['features'];
  readonly accounts: readonly StandardAccount[];
  /** Number of transactions that were signed. */
  signed = 0;

  constructor(key: KeyPairSigner, publicKey: Uint8Array, tamper: Tamper = (message) => message) {
    const features = ['solana:signTransaction'] as const;
    this.accounts = [{ address: key.address, publicKey, chains: this.chains, features }];
    this.features = {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: this.accounts }) },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: [0],
        signTransaction: async ({ transaction }: { transaction: Uint8Array }) => {
          this.signed += 1;
          return [{ signedTransaction: await sign(key, transaction, tamper) }];
        },
      },
    };
  }
}

async function sign(key: KeyPairSigner, bytes: Uint8Array, tamper: Tamper): Promise<Uint8Array> {
  const [codec, messages] = [getTransactionCodec(), getCompiledTransactionMessageCodec()];
  const transaction = codec.decode(bytes);
  const message = messages.encode(tamper(messages.decode(transaction.messageBytes)));
  const messageBytes = message as typeof transaction.messageBytes;
  const signature = await signBytes(key.keyPair.privateKey, messageBytes);
  const signatures = { ...transaction.signatures, [key.address]: signature };
  return Uint8Array.from(codec.encode({ ...transaction, messageBytes, signatures }));
}
