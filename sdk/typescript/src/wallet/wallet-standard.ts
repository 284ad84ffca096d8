/**
 * The parts of Wallet Standard that a Solana page uses. A wallet of `getWallets()` of `@wallet-standard/app` fits them.
 */

import { invalidInput } from '../input.js';

/** Account that a wallet offers to a page. */
export interface WalletAccount {
  /** Base58. */
  readonly address: string;
  readonly chains: readonly string[];
  readonly features: readonly string[];
}

/** Wallet of a browser. */
export interface Wallet {
  readonly name: string;
  readonly chains: readonly string[];
  readonly features: Readonly<Record<string, unknown>>;
  readonly accounts: readonly WalletAccount[];
}

interface ConnectFeature {
  connect(input?: { readonly silent?: boolean }): Promise<{ readonly accounts: readonly WalletAccount[] }>;
}

interface SignTransactionFeature {
  signTransaction(input: {
    readonly account: WalletAccount;
    readonly transaction: Uint8Array;
    readonly chain?: string;
  }): Promise<readonly { readonly signedTransaction: Uint8Array }[]>;
}

const CONNECT = 'standard:connect';
const SIGN_TRANSACTION = 'solana:signTransaction';

/** Whether a wallet can sign transactions of a Solana cluster, such as `solana:mainnet`. */
export function supportsSolana(wallet: Wallet, chain: string): boolean {
  return wallet.chains.includes(chain) && CONNECT in wallet.features && SIGN_TRANSACTION in wallet.features;
}

/** Connects a page to a wallet; returns the accounts that its owner shares. */
export async function connectWallet(wallet: Wallet): Promise<readonly WalletAccount[]> {
  const { accounts } = await feature<ConnectFeature>(wallet, CONNECT).connect();
  return accounts;
}

/** @internal */
export function signTransactionFeature(wallet: Wallet): SignTransactionFeature {
  return feature(wallet, SIGN_TRANSACTION);
}

function feature<Feature>(wallet: Wallet, name: string): Feature {
  const found = wallet.features[name];
  if (found === undefined)
    throw invalidInput(`the wallet ${wallet.name} does not support ${name}: check it by \`supportsSolana\``);
  return found as Feature;
}
