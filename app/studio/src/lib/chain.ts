import { UntrustedError, type AccountReader, type ChainAccount } from '@motif/sdk';

import { ask, send } from './http.js';
import type { Currency } from './money.js';
import { rules } from './rules.js';

/** Cluster behind the gateway. */
export interface Network {
  readonly cluster: string;
  readonly network: 'mainnet' | 'devnet' | 'testnet' | 'localnet' | 'unknown';
  /** Whether the gateway gives test money. */
  readonly faucet: boolean;
  /** Address that pays for creators without SOL. */
  readonly sponsor?: string;
}

/** Account with its balance. */
export interface Account extends ChainAccount {
  readonly lamports: bigint;
}

const MOST_ADDRESSES = 100;
const POLL_EVERY = 500;
const CONFIRM_WITHIN = 90_000;
const MINT_CACHE = new Map<string, Promise<Currency>>();
/** Dollars on mainnet and on test networks. */
const DOLLARS = ['EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v', '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'];
const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';

let network: Promise<Network> | undefined;

/** Returns the cluster behind the gateway. */
export function readNetwork(): Promise<Network> {
  network ??= ask<Network>('/v1/chain').catch((error) => {
    network = undefined;
    throw error;
  });
  return network;
}

/** Returns the name of the cluster in Wallet Standard. */
export function walletChain({ network }: Network): string {
  return `solana:${network === 'unknown' ? 'localnet' : network}`;
}

/** Reads accounts, in the order asked; `undefined` for an account that does not exist. */
export async function readAccounts(addresses: readonly string[]): Promise<(Account | undefined)[]> {
  const read: (Account | undefined)[] = [];
  for (let start = 0; start < addresses.length; start += MOST_ADDRESSES) {
    const part = addresses.slice(start, start + MOST_ADDRESSES);
    const answer = await ask<{ accounts: ({ lamports: string; owner: string; data: string } | null)[] }>(
      '/v1/chain/accounts',
      { method: 'POST', body: { addresses: part } },
    );
    if (answer.accounts.length !== part.length) throw new UntrustedError('the gateway answered too few accounts');
    for (const account of answer.accounts) {
      read.push(account ? { owner: account.owner, lamports: BigInt(account.lamports), data: bytesOf(account.data) } : undefined);
    }
  }
  return read;
}

/** Reads one account. */
export async function readAccount(address: string): Promise<Account | undefined> {
  return (await readAccounts([address]))[0];
}

/** Reads the cluster for the SDK, through the gateway. */
export const chainReader: AccountReader = {
  readAccount: async (address) => (await readAccount(address)) ?? null,
};

/** Returns the currency of a mint. */
export function currencyOf(mint: string): Promise<Currency> {
  const known = MINT_CACHE.get(mint);
  if (known) return known;
  const read = readCurrency(mint);
  MINT_CACHE.set(mint, read);
  read.catch(() => MINT_CACHE.delete(mint));
  return read;
}

async function readCurrency(mint: string): Promise<Currency> {
  if (DOLLARS.includes(mint)) return { mint, decimals: 6, name: 'USDC', isDollar: true, tokenProgram: TOKEN_PROGRAM };
  const [core, account] = await Promise.all([rules(), readAccount(mint)]);
  if (!account) throw new UntrustedError(`there is no mint at ${mint}`);
  const { decimals } = core.call('token.decimals', {}, account.data);
  return { mint, decimals, name: `tokens of ${mint}`, isDollar: false, tokenProgram: account.owner };
}

/** Returns the tokens that an owner has in its associated account, in base units. */
export async function readBalance(owner: string, currency: Currency): Promise<bigint> {
  const core = await rules();
  const { mint, tokenProgram } = currency;
  const { address } = core.call('address.tokens', { owner, mint, token_program: tokenProgram });
  const account = await readAccount(address);
  return account && account.data.length > 0 ? BigInt(core.call('token.amount', {}, account.data).amount) : 0n;
}

/** Returns a recent blockhash, as a lifetime for `@solana/kit`. */
export async function readBlockhash(): Promise<{ blockhash: string; lastValidBlockHeight: bigint }> {
  const answer = await ask<{ blockhash: string; last_valid_block_height: number }>('/v1/chain/blockhash');
  return { blockhash: answer.blockhash, lastValidBlockHeight: BigInt(answer.last_valid_block_height) };
}

/**
 * Sends a signed transaction and waits until it is confirmed; returns its signature.
 *
 * @throws RefusedError `transaction-refused`; Error if it failed or was not confirmed in 90 seconds.
 */
export async function sendTransaction(transaction: string): Promise<string> {
  const sent = await ask<{ signature: string }>('/v1/chain/transactions', { method: 'POST', body: { transaction } });
  await confirm(sent.signature);
  return sent.signature;
}

/** State of a transaction, such as `confirmed`, `failed` or `unknown`. */
export async function transactionState(signature: string): Promise<string> {
  return (await ask<{ state: string }>(`/v1/chain/transactions/${signature}`)).state;
}

/** Waits until a transaction is confirmed. */
async function confirm(signature: string): Promise<void> {
  for (const start = Date.now(); Date.now() - start < CONFIRM_WITHIN; ) {
    const status = await ask<{ state: string; detail?: string | null }>(`/v1/chain/transactions/${signature}`);
    if (status.state === 'confirmed') return;
    if (status.state === 'failed') throw new Error(status.detail ?? 'the transaction failed');
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY));
  }
  throw new Error('the transaction was not confirmed in time; look at your wallet before you repeat it');
}

/** Asks the faucet of a localnet for SOL and test dollars. */
export async function askFaucet(address: string): Promise<void> {
  const body = { address, lamports: '2000000000', amount: '100000000' };
  await send('/v1/chain/faucet', { method: 'POST', body });
}

/** Returns the bytes of standard base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Returns bytes in standard base64. */
export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
