import { createKeyPairSignerFromBytes, getTransactionCodec, signBytes, type KeyPairSigner } from '@solana/kit';
import type { Page } from 'playwright-core';

/** Wallet of Wallet Standard in a page, whose key is in the test's process. It approves everything. */
export class ScriptedWallet {
  readonly address: string;
  /** Requests to sign transactions that were approved: one may have many. */
  approvals = 0;
  /** Requests after which its owner declines. */
  patience = Infinity;
  readonly #key: KeyPairSigner;

  private constructor(key: KeyPairSigner) {
    this.#key = key;
    this.address = key.address;
  }

  /** Creates the wallet of a keypair's 64 bytes. */
  static async open(bytes: Uint8Array): Promise<ScriptedWallet> {
    return new ScriptedWallet(await createKeyPairSignerFromBytes(bytes));
  }

  /** Announces the wallet in each document of a page. */
  async install(page: Page): Promise<void> {
    await page.exposeFunction('testWalletSign', async (isText: boolean, messages: readonly string[]) => {
      if (!isText && this.approvals >= this.patience) throw new Error('User rejected the request.');
      this.approvals += isText ? 0 : 1;
      const sign = (bytes: Uint8Array) => (isText ? this.#signText(bytes) : this.#signTransaction(bytes));
      const signed = await Promise.all(messages.map((base64) => sign(Uint8Array.from(Buffer.from(base64, 'base64')))));
      return signed.map((bytes) => Buffer.from(bytes).toString('base64'));
    });
    await page.addInitScript(announce, this.address);
  }

  async #signTransaction(bytes: Uint8Array): Promise<Uint8Array> {
    const codec = getTransactionCodec();
    const transaction = codec.decode(bytes);
    const signature = await signBytes(this.#key.keyPair.privateKey, transaction.messageBytes);
    const signatures = { ...transaction.signatures, [this.#key.address]: signature };
    return Uint8Array.from(codec.encode({ ...transaction, signatures }));
  }

  async #signText(bytes: Uint8Array): Promise<Uint8Array> {
    return signBytes(this.#key.keyPair.privateKey, bytes);
  }
}

/** Runs in the page, before its scripts. */
function announce(address: string): void {
  const sign = (globalThis as unknown as { testWalletSign(isText: boolean, messages: string[]): Promise<string[]> }).testWalletSign;
  const ask = async (isText: boolean, messages: Uint8Array[]) => {
    const answers = await sign(isText, messages.map((bytes) => btoa(String.fromCharCode(...bytes))));
    return answers.map((answer) => Uint8Array.from(atob(answer), (character) => character.charCodeAt(0)));
  };
  const chains = ['solana:localnet'];
  const account = { address, publicKey: new Uint8Array(32), chains, features: ['solana:signTransaction', 'solana:signMessage'] };
  const wallet = {
    version: '1.0.0',
    name: 'Scripted wallet',
    icon: 'data:image/svg+xml;base64,PHN2Zy8+',
    chains,
    accounts: [account],
    features: {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: [0],
        signTransaction: async (...inputs: { transaction: Uint8Array }[]) => {
          const signed = await ask(false, inputs.map(({ transaction }) => transaction));
          return signed.map((signedTransaction) => ({ signedTransaction }));
        },
      },
      'solana:signMessage': {
        version: '1.0.0',
        signMessage: async ({ message }: { message: Uint8Array }) => [{ signedMessage: message, signature: (await ask(true, [message]))[0] }],
      },
    },
  };
  const register = ({ register: add }: { register(one: unknown): void }) => add(wallet);
  addEventListener('wallet-standard:app-ready', (event) => register((event as CustomEvent).detail));
  dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: register }));
}
