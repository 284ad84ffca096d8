import { connectWallet, supportsSolana, type Wallet, type WalletAccount } from '@motif/sdk/wallet';
import { getWallets } from '@wallet-standard/app';

import { readNetwork, walletChain } from './chain.js';
import { Store } from './store.js';

/** Connected wallet. */
export interface Session {
  readonly wallet: Wallet;
  readonly account: WalletAccount;
  /** Cluster in Wallet Standard, such as `solana:mainnet`. */
  readonly chain: string;
  readonly address: string;
}

/** Wallet of the browser, and whether it can sign for the gateway's cluster. */
export interface WalletChoice {
  readonly wallet: Wallet;
  readonly isUsable: boolean;
}

const REMEMBERED = 'motif-wallet';
const SIGN_MESSAGE = 'solana:signMessage';

/** The page's wallet; `undefined` before one is connected. */
export const session = new Store<Session | undefined>(undefined);
/** Whether the dialog with the wallets is open. */
export const isChoosing = new Store(false);

/** Returns the wallets that can be connected, and calls `changed` when there are more. */
export async function listWallets(): Promise<WalletChoice[]> {
  const network = await readNetwork();
  const chain = walletChain(network);
  const found = getWallets().get() as unknown as readonly Wallet[];
  const burners = network.faucet ? (await import('./burner.js')).burnerWallets() : [];
  const choice = (wallet: Wallet) => ({ wallet, isUsable: supportsSolana(wallet, chain) });
  return [...found.filter(isForSolana), ...burners].map(choice);
}

/** Calls `changed` when the browser announces more wallets. */
export function watchWallets(changed: () => void): () => void {
  return getWallets().on('register', changed);
}

function isForSolana(wallet: Wallet): boolean {
  return wallet.chains.some((chain) => chain.startsWith('solana:'));
}

/** Connects the page to a wallet. */
export async function connect(wallet: Wallet): Promise<void> {
  const chain = walletChain(await readNetwork());
  const [account] = await connectWallet(wallet);
  if (!account) throw new Error(`${wallet.name} shares no account: unlock it and choose one`);
  session.set({ wallet, account, chain, address: account.address });
  remember(wallet.name);
  isChoosing.set(false);
}

/** Forgets the page's wallet. */
export function disconnect(): void {
  session.set(undefined);
  remember(undefined);
}

/** Connects the wallet of the last visit again. */
export async function reconnect(): Promise<void> {
  const name = localStorage.getItem(REMEMBERED);
  if (name === null) return;
  const choice = (await listWallets()).find(({ wallet, isUsable }) => isUsable && wallet.name === name);
  if (choice) await connect(choice.wallet);
}

function remember(name: string | undefined): void {
  if (name === undefined) localStorage.removeItem(REMEMBERED);
  else localStorage.setItem(REMEMBERED, name);
}

interface SignMessageFeature {
  signMessage(input: { account: WalletAccount; message: Uint8Array }): Promise<readonly { signature: Uint8Array }[]>;
}

/** Has the wallet sign a text. */
export async function signText({ wallet, account }: Session, text: string): Promise<Uint8Array> {
  const feature = wallet.features[SIGN_MESSAGE] as SignMessageFeature | undefined;
  if (!feature) throw new Error(`${wallet.name} cannot sign messages: use another wallet to see unsettled payments`);
  const [signed] = await feature.signMessage({ account, message: new TextEncoder().encode(text) });
  if (!signed) throw new Error(`${wallet.name} returned no signature`);
  return signed.signature;
}
