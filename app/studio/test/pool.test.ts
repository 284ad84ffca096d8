// The tree of works that divides a data set's earnings among its contributors.
import { getAddressDecoder } from '@solana/kit';
import { describe, expect, test } from 'vitest';

import { apportion, payoutsOf, planPool, POOL_RECIPIENTS, readContributorList, type Contributor, type PoolWork } from '../src/lib/pool.js';

const WHOLE = 10_000;

/** Returns a valid address for a number. */
function person(number: number): string {
  const bytes = new Uint8Array(32).fill(7);
  new DataView(bytes.buffer).setUint32(0, number);
  return getAddressDecoder().decode(bytes);
}

function people(count: number, weight: (index: number) => number): Contributor[] {
  return Array.from({ length: count }, (_, index) => ({ recipient: person(index), weight: BigInt(weight(index)) }));
}

/** Asserts what the programs ask of each work, and that each contributor is in one of them. */
function check(root: PoolWork, works: readonly PoolWork[], contributors: readonly Contributor[]) {
  const total = (shares: readonly { share_bps: number }[]) => shares.reduce((sum, { share_bps }) => sum + share_bps, 0);
  const named: string[] = [];
  for (const work of works) {
    expect(work.parents.length).toBeLessThanOrEqual(8);
    expect(work.recipients.length).toBeLessThanOrEqual(POOL_RECIPIENTS);
    for (const { share_bps } of [...work.recipients, ...work.parents]) expect(share_bps).toBeGreaterThan(0);
    if (work === root) continue;
    if (work.parents.length > 0) expect([total(work.parents), work.recipients]).toEqual([WHOLE, []]);
    else expect(total(work.recipients)).toBe(WHOLE);
    named.push(...work.recipients.map(({ recipient }) => recipient));
    const child = works.findIndex(({ parents }) => parents.includes(work));
    expect(child).toBeGreaterThan(works.indexOf(work));
  }
  expect(works.at(-1)).toBe(root);
  expect([...named].sort()).toEqual(contributors.map(({ recipient }) => recipient).sort());
}

describe('pool', () => {
  test('thousand equal contributors share evenly', () => {
    const contributors = people(1_000, () => 1);
    const { root, works, deviation } = planPool(contributors);
    check(root, works, contributors);
    // 50 works of 20 contributors, 7 between them and the data set.
    expect([works.length, works.filter(({ recipients }) => recipients.length === 20).length]).toEqual([58, 50]);
    expect(deviation).toBeLessThanOrEqual(400n);
    const payouts = [...payoutsOf({ root, works, deviation }, 1_000_000_000n).values()];
    expect(payouts.length).toBe(1_000);
    for (const amount of payouts) expect(amount >= 999_600n && amount <= 1_000_400n).toBe(true);
  });

  test('thousand weighted contributors are exact', () => {
    const contributors = people(1_000, (index) => 1 + ((index * 7_919) % 500));
    const pool = planPool(contributors);
    check(pool.root, pool.works, contributors);
    const earned = 123_456_789_013n;
    const payouts = payoutsOf(pool, earned);
    const paid = [...payouts.values()].reduce((sum, amount) => sum + amount, 0n);
    // Each division drops less than one base unit for each part.
    const parts = pool.works.reduce((sum, { parents, recipients }) => sum + parents.length + recipients.length, 0);
    expect(paid).toBeLessThanOrEqual(earned);
    expect(earned - paid).toBeLessThan(BigInt(parts));
    const all = contributors.reduce((sum, { weight }) => sum + weight, 0n);
    for (const { recipient, weight } of contributors) {
      const [has, due] = [payouts.get(recipient)! * all, earned * weight];
      const difference = has > due ? has - due : due - has;
      // The stated deviation holds for each, apart from what floors drop on the way down.
      expect(difference * 1_000_000n).toBeLessThanOrEqual(due * pool.deviation + 3n * all * 1_000_000n);
    }
  });

  test('payouts never fall as earnings grow', () => {
    const pool = planPool(people(45, (index) => index + 1), 1_000, [{ recipient: person(99), share_bps: WHOLE }]);
    let before = payoutsOf(pool, 0n);
    for (let earned = 1n; earned < 2_000_000n; earned = earned * 3n + 1n) {
      const after = payoutsOf(pool, earned);
      for (const [recipient, amount] of after) expect(amount).toBeGreaterThanOrEqual(before.get(recipient) ?? 0n);
      expect(after.get(person(99))).toBe(earned / 10n);
      before = after;
    }
  });

  test('plan depends on the list only', () => {
    const contributors = people(64, (index) => (index % 3) + 1);
    expect(planPool(contributors)).toEqual(planPool([...contributors]));
  });

  test.each([1, 20, 21, 160, 161, 1_280, 1_281, 5_000])('%i contributors fit', (count) => {
    const contributors = people(count, (index) => (index % 17) + 1);
    const { root, works } = planPool(contributors);
    check(root, works, contributors);
  });

  test('tiny weight gets a basis point', () => {
    expect(apportion([1n, 1_000_000n], WHOLE)).toEqual([1, 9_999]);
    expect(apportion([1n, 1n, 1n], WHOLE)).toEqual([3_334, 3_333, 3_333]);
    expect(() => apportion([1n, 1n], 1)).toThrow();
  });

  test('wrong lines are named', () => {
    const list = `# head\n${person(1)}, 5\n\n${person(2)}\nnonsense, 3\n${person(1)}, 2\n${person(3)}, 0\n${person(4)}, 1.5`;
    const { contributors, errors } = readContributorList(list);
    expect(contributors).toEqual([{ recipient: person(1), weight: 5n }, { recipient: person(2), weight: 1n }]);
    expect(errors.map((error) => /\d+/.exec(error)?.[0])).toEqual(['5', '6', '7', '8']);
  });
});
