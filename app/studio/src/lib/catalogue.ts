import { GatewayClient, type Operator, type WorkList } from '@motif/sdk';

import { currencyOf, readNetwork } from './chain.js';
import { ask } from './http.js';
import type { Currency } from './money.js';

/** Work as the gateway lists it. */
export type WorkFacts = WorkList['works'][number];

/** Client of the gateway that serves this page. */
export const gateway = new GatewayClient(location.origin, { patience: 3_000 });

const MAINNET_DOLLAR = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v';
const TEST_DOLLAR = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU';
const MOST_WORKS = 100;

let operator: Promise<Operator> | undefined;

/** Returns the operator of the gateway. */
export function readOperator(): Promise<Operator> {
  operator ??= gateway.operator().catch((error) => {
    operator = undefined;
    throw error;
  });
  return operator;
}

/** Returns the currencies that the gateway serves, the preferred one first. */
export async function currencies(): Promise<Currency[]> {
  const [{ mints }, { network }] = await Promise.all([readOperator(), readNetwork()]);
  const served = mints.length > 0 ? mints : [network === 'mainnet' ? MAINNET_DOLLAR : TEST_DOLLAR];
  return Promise.all(served.map(currencyOf));
}

/** Returns works that match a query, such as `{ owner: '…' }`. */
export async function listWorks(query: Record<string, string>): Promise<WorkFacts[]> {
  const works: WorkFacts[] = [];
  for (;;) {
    const page = await gateway.works({ ...query, limit: String(MOST_WORKS), offset: String(works.length) });
    works.push(...page.works);
    if (works.length >= page.total || page.works.length === 0) return works;
  }
}

/** Channel that an address pays for. */
export interface PaidChannel {
  readonly channel: string;
  readonly mint: string;
}

/** Returns the channels that an address pays for. */
export async function channelsOf(payer: string): Promise<readonly PaidChannel[]> {
  return (await ask<{ channels: PaidChannel[] }>(`/v1/people/${payer}/channels`)).channels;
}
