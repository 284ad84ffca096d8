import { texts } from '../texts.js';
import { isAddress, type Share } from './shares.js';

/** Person who contributed to a data set, and the weight of the contribution. */
export interface Contributor {
  readonly recipient: string;
  readonly weight: bigint;
}

/** Work of a pool: it has either recipients or parents, which divide all that it earns. */
export interface PoolWork {
  /** Place in the tree: `1.2` is the second parent of the data set's first parent; empty for the data set. */
  readonly place: string;
  /** Share of what its child earns, basis points; all for the data set. */
  readonly share_bps: number;
  readonly recipients: readonly Share[];
  readonly parents: readonly PoolWork[];
}

/** Tree of works that divides a data set's earnings among its contributors. */
export interface Pool {
  /** The data set. */
  readonly root: PoolWork;
  /** All works, parents before their children: the order of registration. */
  readonly works: readonly PoolWork[];
  /** Largest relative difference between a contributor's share and the weights, in millionths. */
  readonly deviation: bigint;
}

/** Recipients of one work: a transaction of 1,232 bytes has room for 20 and for what a wallet adds. The program allows 32. */
export const POOL_RECIPIENTS = 20;
const MOST_PARENTS = 8;
const WHOLE = 10_000;
const MILLION = 1_000_000n;
/** Contributors of one data set. */
export const MOST_CONTRIBUTORS = 5_000;
const MOST_ERRORS = 5;

/** Reads a list of lines `address, weight`, with weight 1 by default; the errors say what is wrong in which line. */
export function readContributorList(list: string): { contributors: Contributor[]; errors: string[] } {
  const errors: string[] = [];
  const seen = new Set<string>();
  const contributors: Contributor[] = [];
  list.split('\n').forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    const [recipient = '', weight = '1', ...rest] = text.split(/[\s,;]+/);
    if (!isAddress(recipient)) errors.push(texts.pool.badAddress(index + 1));
    else if (seen.has(recipient)) errors.push(texts.pool.doubled(index + 1));
    else if (!/^[1-9]\d{0,11}$/.test(weight) || rest.length > 0) errors.push(texts.pool.badWeight(index + 1));
    else contributors.push({ recipient, weight: BigInt(weight) });
    seen.add(recipient);
  });
  if (contributors.length > MOST_CONTRIBUTORS) errors.push(texts.pool.tooMany(MOST_CONTRIBUTORS));
  return { contributors, errors: errors.slice(0, MOST_ERRORS) };
}

interface Node {
  readonly weight: bigint;
  readonly members: readonly Contributor[];
  readonly nodes: readonly Node[];
}

/**
 * Divides a data set's earnings among its contributors by their weights: contributors of similar weight share a work, works of
 * similar weight a child, up to one data set with at most 8 parents. The data set keeps `keepBps` for its own recipients.
 */
export function planPool(contributors: readonly Contributor[], keepBps = 0, own: readonly Share[] = []): Pool {
  if (contributors.length === 0) throw new Error(texts.pool.none);
  const sorted = [...contributors].sort((one, other) => (one.weight < other.weight ? 1 : one.weight > other.weight ? -1 : 0));
  let level: Node[] = divide(sorted, POOL_RECIPIENTS).map((members) => ({ weight: sum(members), members, nodes: [] }));
  while (level.length > MOST_PARENTS) {
    level = divide(level, MOST_PARENTS).map((nodes) => ({ weight: sum(nodes), members: [], nodes }));
  }
  const shares = apportion(level.map(({ weight }) => weight), WHOLE - keepBps);
  const parents = level.map((node, index) => workOf(node, String(index + 1), shares[index]!));
  const root: PoolWork = { place: '', share_bps: WHOLE, recipients: own, parents };
  const works = [...parents.flatMap(inOrder), root];
  return { root, works, deviation: deviationOf(root, contributors, WHOLE - keepBps) };
}

function workOf({ members, nodes }: Node, place: string, share_bps: number): PoolWork {
  const shares = apportion([...members, ...nodes].map(({ weight }) => weight), WHOLE);
  const recipients = members.map(({ recipient }, index) => ({ recipient, share_bps: shares[index]! }));
  const parents = nodes.map((node, index) => workOf(node, `${place}.${index + 1}`, shares[index]!));
  return { place, share_bps, recipients, parents };
}

function inOrder(work: PoolWork): PoolWork[] {
  return [...work.parents.flatMap(inOrder), work];
}

function sum(parts: readonly { readonly weight: bigint }[]): bigint {
  return parts.reduce((total, { weight }) => total + weight, 0n);
}

/** Divides a list into as few parts of at most `most` as possible, whose lengths differ by at most one. */
function divide<T>(list: readonly T[], most: number): T[][] {
  const count = Math.ceil(list.length / most);
  return Array.from({ length: count }, (_, part) => {
    return list.slice(Math.floor((part * list.length) / count), Math.floor(((part + 1) * list.length) / count));
  });
}

/** Divides `total` basis points by weights, by largest remainders; each part gets at least 1. */
export function apportion(weights: readonly bigint[], total: number): number[] {
  if (weights.length > total) throw new Error(texts.pool.tooSmall);
  const all = weights.reduce((one, other) => one + other, 0n);
  const quotas = weights.map((weight, index) => ({ index, floor: Number((weight * BigInt(total)) / all), rest: (weight * BigInt(total)) % all }));
  const parts = quotas.map(({ floor }) => Math.max(1, floor));
  let left = total - parts.reduce((one, other) => one + other, 0);
  const byRest = [...quotas].sort((one, other) => (one.rest < other.rest ? 1 : one.rest > other.rest ? -1 : one.index - other.index));
  for (const { index, floor } of byRest) {
    if (left <= 0) break;
    if (floor === 0) continue;
    parts[index]! += 1;
    left -= 1;
  }
  // Parts that were raised to 1 take from the largest.
  for (; left < 0; left++) parts[parts.indexOf(Math.max(...parts))]! -= 1;
  return parts;
}

function deviationOf(root: PoolWork, contributors: readonly Contributor[], given: number): bigint {
  const all = sum(contributors);
  const weights = new Map(contributors.map(({ recipient, weight }) => [recipient, weight]));
  let most = 0n;
  const visit = (work: PoolWork, share: bigint, whole: bigint) => {
    for (const { recipient, share_bps } of work === root ? [] : work.recipients) {
      // share/whole of the earnings against weight/all of what is given.
      const has = share * BigInt(share_bps) * all * BigInt(WHOLE);
      const due = weights.get(recipient)! * whole * BigInt(WHOLE) * BigInt(given);
      const difference = ((has > due ? has - due : due - has) * MILLION + due - 1n) / due;
      if (difference > most) most = difference;
    }
    for (const parent of work.parents) visit(parent, share * BigInt(parent.share_bps), whole * BigInt(WHOLE));
  };
  visit(root, 1n, 1n);
  return most;
}

/** Returns what each recipient of a pool can claim after its data set earned `amount` in total, as the programs round it. */
export function payoutsOf({ root }: Pool, amount: bigint): Map<string, bigint> {
  const payouts = new Map<string, bigint>();
  const visit = (work: PoolWork, earned: bigint) => {
    const parentsBps = work.parents.reduce((total, { share_bps }) => total + share_bps, 0);
    const own = floorShare(earned, WHOLE - parentsBps);
    for (const { recipient, share_bps } of work.recipients) {
      payouts.set(recipient, (payouts.get(recipient) ?? 0n) + floorShare(own, share_bps));
    }
    for (const parent of work.parents) visit(parent, floorShare(earned, parent.share_bps));
  };
  visit(root, amount);
  return payouts;
}

/** Returns a share of an amount, rounded down as on chain. */
export function floorShare(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / BigInt(WHOLE);
}

/** Whether a work has the form of a pool's group, which lists leave out. It has no terms, and pays only what its data set earns. */
export function isGroup({ kind, terms, title }: { kind: string; terms?: unknown; title: string }): boolean {
  return kind === 'dataset' && !terms && isGroupTitle(title);
}

/** Whether a title is one that a pool's group has. */
export function isGroupTitle(title: string): boolean {
  return / #[1-8](\.[1-8])*$/.test(title);
}
