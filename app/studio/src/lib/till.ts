import { readAccounts } from './chain.js';
import type { Currency } from './money.js';
import { callOther, rules } from './rules.js';
import { execute } from './transactions.js';
import type { Session } from './wallets.js';

/** Till of one work: what is transferred to it is the work's. */
export interface WorkTill {
  readonly till: string;
  readonly isOpen: boolean;
  /** Tokens that are not collected, base units. */
  readonly balance: bigint;
}

const sharesOf = (work: string) => ({ works: [{ work, parts: 1 }] });

/** Returns the till of a work. */
export async function readTill(work: string, { mint, tokenProgram: token_program }: Currency): Promise<WorkTill> {
  const core = await rules();
  const { address: till } = callOther(core, 'address.till', { shares: sharesOf(work), mint });
  const { address: tokens } = core.call('address.tokens', { owner: till, mint, token_program });
  const [account, held] = await readAccounts([till, tokens]);
  const balance = held && held.data.length > 0 ? BigInt(core.call('token.amount', {}, held.data).amount) : 0n;
  return { till, isOpen: account !== undefined, balance };
}

/** Opens the till of a work. */
export async function openTill(session: Session, work: string, { mint, tokenProgram: token_program }: Currency): Promise<void> {
  const core = await rules();
  const input = { funder: session.address, shares: sharesOf(work), mint, token_program };
  await execute(session, core.call('instruction.open_till', input).instructions);
}

/** Moves what is in a work's till to the work's earnings. */
export async function sweepTill(session: Session, work: string, { mint, tokenProgram: token_program }: Currency): Promise<void> {
  const core = await rules();
  const [earnings] = await readAccounts([core.call('address.earnings', { work, mint }).address]);
  const opening = earnings ? [] : core.call('instruction.open_earnings', { funder: session.address, work, mint }).instructions;
  const sweep = core.call('instruction.sweep_till', { shares: sharesOf(work), mint, token_program }).instructions;
  await execute(session, [...opening, ...sweep]);
}

/** Returns the Solana Pay link by which a wallet pays a till any amount. */
export function payLink(till: string, { mint }: Currency, label: string): string {
  const query = new URLSearchParams({ 'spl-token': mint, label });
  return `solana:${till}?${String(query).replaceAll('+', '%20')}`;
}
