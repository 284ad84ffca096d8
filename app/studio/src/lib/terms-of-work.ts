import { readAccount, type Account } from './chain.js';
import type { Currency } from './money.js';
import { decode, rules } from './rules.js';

/** Returns the account of a work's terms, as the chain has it. */
export async function termsAccount(work: string, number: number): Promise<Account> {
  const core = await rules();
  const account = await readAccount(core.call('address.terms', { work, number }).address);
  if (!account) throw new Error('the terms are not on chain');
  return account;
}

/** Returns a work's terms in words, from their account on chain. */
export async function termsSummary(work: string, number: number, { mint, decimals }: Currency): Promise<string> {
  const [core, account] = await Promise.all([rules(), termsAccount(work, number)]);
  const decoded = decode(core, 'terms', account.data);
  if (!decoded) throw new Error('the account has no terms');
  return core.call('terms.summary', { offer: decoded.terms.offer, denomination: { mint, decimals } }).text;
}
