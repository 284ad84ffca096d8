import { sessionSigner, type Wallet, type WalletAccount } from '@motif/sdk/wallet';
import { address, getTransactionCodec, type SignatureBytes } from '@solana/kit';

import { askFaucet, readAccount, readNetwork, walletChain } from './chain.js';

interface Transaction {
  readonly transaction: Uint8Array;
}

const NAMES = ['Test creator', 'Test platform'];
const LEAST_LAMPORTS = 500_000_000n;

/**
 * Returns wallets whose keys are in this browser, for trying a localnet out: they have test money from its faucet.
 */
export function burnerWallets(): Wallet[] {
  return NAMES.map((name) => new BurnerWallet(name));
}

class BurnerWallet implements Wallet {
  readonly name: string;
  readonly chains = ['solana:localnet'];
  readonly features: Readonly<Record<string, unknown>>;
  accounts: readonly WalletAccount[] = [];

  constructor(name: string) {
    this.name = name;
    this.features = {
      'standard:connect': { connect: () => this.#connect() },
      'solana:signTransaction': { signTransaction: (...inputs: Transaction[]) => Promise.all(inputs.map((input) => this.#sign(input))) },
      'solana:signMessage': { signMessage: (input: { message: Uint8Array }) => this.#signMessage(input.message) },
    };
  }

  async #connect(): Promise<{ accounts: readonly WalletAccount[] }> {
    const network = await readNetwork();
    if (!network.faucet) throw new Error(`${this.name} is for networks on this machine only`);
    const { address: key } = await this.#signer();
    const account = await readAccount(key);
    if (!account || account.lamports < LEAST_LAMPORTS) await askFaucet(key);
    this.accounts = [{ address: key, chains: [walletChain(network)], features: Object.keys(this.features) }];
    return { accounts: this.accounts };
  }

  #signer() {
    return sessionSigner(`burner: ${this.name}`);
  }

  async #sign({ transaction }: Transaction): Promise<{ signedTransaction: Uint8Array }> {
    const [codec, signer] = [getTransactionCodec(), await this.#signer()];
    const decoded = codec.decode(transaction);
    const signature = (await signer.sign(Uint8Array.from(decoded.messageBytes))) as SignatureBytes;
    const signatures = { ...decoded.signatures, [address(signer.address)]: signature };
    return { signedTransaction: Uint8Array.from(codec.encode({ ...decoded, signatures })) };
  }

  async #signMessage(message: Uint8Array): Promise<readonly { signature: Uint8Array }[]> {
    const signer = await this.#signer();
    return [{ signature: await signer.sign(Uint8Array.from(message)) }];
  }
}
