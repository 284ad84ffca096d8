import { MotifError, RefusedError, sha256 } from '@motif/sdk';

import { readOperator } from './catalogue.js';
import { ask, send } from './http.js';
import { signText, type Session } from './wallets.js';

/** Where the money of works is, in one currency. Amounts are base units. */
export interface Where {
  readonly currency: string;
  readonly decimals: number | null;
  readonly symbol: string | null;
  readonly dollars: boolean;
  /** Vouched and not settled; `null` without a proof of the person. */
  readonly vouched: string | null;
  /** Settled and not collected. */
  readonly settled: string;
  /** Collected, total ever. */
  readonly collected: string;
  /** Owed to parents and not pulled. */
  readonly waiting: string;
  readonly disputed: string;
  readonly claimable: string;
  readonly claimed: string;
}

/** Earnings of a person. */
export interface PersonEarnings {
  readonly person: string;
  readonly as_of: number;
  readonly totals: readonly Where[];
  readonly works: readonly {
    readonly work: string;
    readonly title: string;
    readonly roles: readonly string[];
    readonly currencies: readonly Where[];
  }[];
}

/** Earnings of a work. */
export interface WorkEarnings {
  readonly work: string;
  readonly currencies: readonly Where[];
}

export type UsageBy = 'day' | 'use' | 'platform';

/** Usage of a work by one day, use or platform. */
export interface UsageRow {
  readonly name: string;
  readonly mint: string;
  readonly generations: number;
  readonly units: number;
  /** What the work earns, before parents and splits. */
  readonly prices: string;
  readonly charged: string;
  /** Part of the prices that has settled. */
  readonly settled: string;
}

const HOURS = 23;

/** Proofs of this visit by address. They are kept in memory only. */
const proofs = new Map<string, { header: string; expiresAt: number }>();

/** Whether requests of the person show unsettled payments without another signature. */
export function hasProof(address: string): boolean {
  return (proofs.get(address)?.expiresAt ?? 0) > Date.now() / 1_000;
}

/** Has the wallet sign that its owner reads its record, for a day. */
export async function prove(session: Session): Promise<void> {
  const { operator } = await readOperator();
  const expiresAt = Math.floor(Date.now() / 1_000) + HOURS * 3_600;
  const text = [
    'Motif: show what my works earn',
    `gateway: ${operator}`,
    `person: ${session.address}`,
    `until: ${expiresAt}`,
  ].join('\n');
  const signature = Array.from(await signText(session, text), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const json = JSON.stringify({ address: session.address, expires_at: expiresAt, signature });
  const header = btoa(json).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  proofs.set(session.address, { header, expiresAt });
}

/** Returns the header of a person's proof, if there is one. */
export function headersOf(address: string): Record<string, string> {
  return hasProof(address) ? { 'motif-person': proofs.get(address)!.header } : {};
}

/** Returns the earnings of a person over all works. */
export function earningsOf(person: string): Promise<PersonEarnings> {
  return ask(`/v1/people/${person}/earnings`, { headers: headersOf(person) });
}

/** Returns where the money of a work is. */
export function earningsOfWork(work: string, person?: string): Promise<WorkEarnings> {
  return ask(`/v1/works/${work}/earnings`, { headers: person ? headersOf(person) : {} });
}

/** Returns the usage of a work, for its owner, creator and recipients. */
export async function usageOf(work: string, by: UsageBy, person: string): Promise<readonly UsageRow[]> {
  const report = await ask<{ rows: UsageRow[] }>(`/v1/works/${work}/usage?by=${by}`, { headers: headersOf(person) });
  return report.rows;
}

const AT_ONCE = 6;

/** Returns the usage of works together, as if they were one. */
export async function usageOfAll(works: readonly string[], by: UsageBy, person: string): Promise<UsageRow[]> {
  const sums = new Map<string, UsageRow>();
  for (let start = 0; start < works.length; start += AT_ONCE) {
    const reports = await Promise.all(works.slice(start, start + AT_ONCE).map((work) => usageIfShown(work, by, person)));
    for (const row of reports.flat()) {
      const key = `${row.name} ${row.mint}`;
      const sum = sums.get(key);
      sums.set(key, sum ? add(sum, row) : row);
    }
  }
  return [...sums.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Returns the usage of a work; none if the person may not see it, as the former creator of a work. */
async function usageIfShown(work: string, by: UsageBy, person: string): Promise<readonly UsageRow[]> {
  try {
    return await usageOf(work, by, person);
  } catch (error) {
    if (error instanceof RefusedError && error.problem.type === 'not-the-person') return [];
    throw error;
  }
}

function add(one: UsageRow, other: UsageRow): UsageRow {
  const sum = (field: 'prices' | 'charged' | 'settled') => String(BigInt(one[field]) + BigInt(other[field]));
  return {
    ...one,
    generations: one.generations + other.generations,
    units: one.units + other.units,
    prices: sum('prices'),
    charged: sum('charged'),
    settled: sum('settled'),
  };
}

/** Returns rows as a CSV file, for spreadsheets: a name that begins like a formula is marked as text. */
export function csvOf(rows: readonly UsageRow[]): string {
  const quote = (name: string) => `"${name.replace(/^[=+@-]/, "'$&").replaceAll('"', '""')}"`;
  const lines = rows.map(({ name, mint, generations, units, prices, charged, settled }) => [quote(name), quote(mint), generations, units, prices, charged, settled].join(','));
  return ['name,mint,generations,units,prices,charged,settled', ...lines, ''].join('\n');
}

/** Returns the usage of a work as a CSV file. */
export async function usageCsv(work: string, by: UsageBy, person: string): Promise<Blob> {
  const headers = { ...headersOf(person), accept: 'text/csv' };
  return (await send(`/v1/works/${work}/usage?by=${by}&format=csv`, { headers })).blob();
}

/** Description of a work that gateways host. */
export interface Metadata {
  readonly motif: 1;
  readonly title: string;
  readonly description: string;
  readonly creator: string;
  readonly links: readonly string[];
  readonly preview: string | null;
}

const ZEROS = '0'.repeat(64);

/** Returns the bytes of a description, and their digest. */
export async function encodeMetadata(metadata: Metadata): Promise<{ bytes: Uint8Array<ArrayBuffer>; digest: string }> {
  const bytes = new TextEncoder().encode(JSON.stringify(metadata));
  return { bytes, digest: await sha256(bytes) };
}

/** Returns the description of a work, or `undefined` if the gateway has none that its digest names. */
export async function readMetadata(digest: string): Promise<Metadata | undefined> {
  if (digest === ZEROS) return undefined;
  const response = await fetch(`/v1/metadata/${digest}`).catch(() => undefined);
  if (!response?.ok) return undefined;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if ((await sha256(bytes)) !== digest) {
    throw new MotifError('untrusted', 'the gateway answered another description than the one that the work names');
  }
  return parseMetadata(new TextDecoder().decode(bytes));
}

function parseMetadata(text: string): Metadata | undefined {
  const read = JSON.parse(text) as Partial<Record<keyof Metadata, unknown>>;
  const field = (value: unknown) => (typeof value === 'string' ? value : '');
  const links = Array.isArray(read.links) ? read.links.filter((one) => typeof one === 'string' && one.startsWith('https://')) : [];
  const preview = typeof read.preview === 'string' && /^[0-9a-f]{64}$/.test(read.preview) ? read.preview : null;
  return {
    motif: 1,
    title: field(read.title),
    description: field(read.description),
    creator: field(read.creator),
    links: links as string[],
    preview,
  };
}

/** Uploads the description and picture of a registered work. */
export async function uploadMetadata(work: string, digest: string, bytes: Uint8Array<ArrayBuffer>, preview?: { digest: string; file: Blob }): Promise<void> {
  const document = new Blob([bytes], { type: 'application/json' });
  await send(`/v1/metadata/${digest}?work=${work}`, { method: 'PUT', body: document });
  if (preview) await send(`/v1/previews/${preview.digest}?work=${work}`, { method: 'PUT', body: preview.file });
}

/** Returns the address of a work's picture. */
export function previewUrl(digest: string, size: 'small' | 'large'): string {
  return `/v1/previews/${digest}?size=${size}`;
}
