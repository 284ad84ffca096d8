import { ask, askIfOffered, send } from './http.js';

/** Channel in the operator's list. Amounts are base units. */
export interface ServedChannel {
  readonly channel: string;
  readonly payer: string;
  readonly mint: string;
  readonly available: string;
  /** Vouched and not settled. */
  readonly exposed: string;
  readonly unsettled_receipts: number;
  /** Latest unix second to settle what is open. */
  readonly settle_before: number | null;
  readonly settlement_problem: string | null;
}

interface Reconciliation {
  readonly exact: boolean;
  readonly channels: readonly {
    readonly channel: string;
    readonly mint: string;
    readonly receipts: number;
    readonly receipts_prices: string;
    readonly receipts_charged: string;
    readonly settled_statements: number;
    readonly settled: string;
    readonly differences: readonly string[];
  }[];
  readonly expenses?: readonly { readonly kind: string; readonly transactions: number; readonly fee_lamports: number }[];
}

/** Row of an operator's usage report. */
export interface OperatorUsage {
  readonly name: string;
  readonly mint: string;
  readonly generations: number;
  readonly prices: string;
  readonly charged: string;
}

export type OperatorUsageBy = 'day' | 'work' | 'platform' | 'channel' | 'api-key';

/** Node of the cluster, as the gateway counts it. */
export interface Node {
  readonly host: string;
  readonly isUp: boolean;
  readonly requests: number;
  readonly failures: number;
  readonly behind: number;
}

/** Sums of a currency over all channels, base units. */
export interface Sums {
  readonly mint: string;
  readonly channels: number;
  readonly exposed: bigint;
  readonly settled: bigint;
  readonly statements: number;
  /** Fees of all receipts, settled or not. */
  readonly fees: bigint;
  readonly generations: number;
}

/** Figures of an operator. */
export interface Figures {
  readonly sums: readonly Sums[];
  readonly channels: readonly ServedChannel[];
  readonly isExact: boolean;
  readonly differences: readonly string[];
  readonly expenses: NonNullable<Reconciliation['expenses']>;
  readonly nodes: readonly Node[];
  /** Seconds since the oldest generation that is not settled. */
  readonly oldestUnsettled: number;
}

/** Whether the pages are served beside the gateway's admin interface, which has none of the public one. */
export async function isAdminListener(): Promise<boolean> {
  return (await askIfOffered('/v1/operator')) === undefined;
}

const headersOf = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** Reads the figures of an operator. The secret is sent to this page's origin only. */
export async function readFigures(secret: string): Promise<Figures> {
  const headers = headersOf(secret);
  const [list, books, metrics] = await Promise.all([
    ask<{ channels: ServedChannel[] }>('/v1/channels', { headers }),
    ask<Reconciliation>('/v1/reconciliation', { headers }),
    send('/metrics', { headers }).then((response) => response.text()),
  ]);
  const samples = readSamples(metrics);
  return {
    sums: sumUp(list.channels, books),
    channels: list.channels,
    isExact: books.exact,
    differences: books.channels.flatMap(({ channel, differences }) => differences.map((difference) => `${channel}: ${difference}`)),
    expenses: books.expenses ?? [],
    nodes: nodesOf(samples),
    oldestUnsettled: samples.find(({ name }) => name === 'motif_oldest_unsettled_seconds')?.value ?? 0,
  };
}

/** Reads the usage of all channels. */
export async function readUsage(secret: string, by: OperatorUsageBy): Promise<readonly OperatorUsage[]> {
  return (await ask<{ rows: OperatorUsage[] }>(`/v1/usage?by=${by}`, { headers: headersOf(secret) })).rows;
}

/** Settles a channel, or pays its fees to the operator. */
export async function act(secret: string, channel: string, action: 'settlements' | 'fee-claims'): Promise<void> {
  await ask(`/v1/channels/${channel}/${action}`, { method: 'POST', headers: headersOf(secret) });
}

function sumUp(channels: readonly ServedChannel[], { channels: books }: Reconciliation): Sums[] {
  const mints = [...new Set([...channels, ...books].map(({ mint }) => mint))];
  const total = (amounts: readonly string[]) => amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
  return mints.map((mint) => {
    const [own, kept] = [channels.filter((one) => one.mint === mint), books.filter((one) => one.mint === mint)];
    return {
      mint,
      channels: own.length,
      exposed: total(own.map(({ exposed }) => exposed)),
      settled: total(kept.map(({ settled }) => settled)),
      statements: kept.reduce((sum, { settled_statements }) => sum + settled_statements, 0),
      fees: total(kept.map(({ receipts_charged }) => receipts_charged)) - total(kept.map(({ receipts_prices }) => receipts_prices)),
      generations: kept.reduce((sum, { receipts }) => sum + receipts, 0),
    };
  });
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the samples of a text in the OpenMetrics format. */
export function readSamples(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (-?[\d.e+-]+)$/i.exec(line) ?? [];
    if (!name || value === undefined) return [];
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!] as const);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

function nodesOf(samples: readonly Sample[]): Node[] {
  const of = (name: string, node: string | undefined) => samples.find((sample) => sample.name === name && sample.labels['node'] === node)?.value ?? 0;
  return samples.filter(({ name }) => name === 'motif_node_up').map(({ labels, value }) => {
    const { node, host = '' } = labels;
    return {
      host,
      isUp: value === 1,
      requests: of('motif_node_requests_total', node),
      failures: of('motif_node_failures_total', node),
      behind: of('motif_node_behind_total', node),
    };
  });
}
