import { now } from '../clock.js';
import { OverBudgetError } from '../errors.js';
import type { BatchedGeneration } from '../wire.js';
import type { Machine } from './machine.js';

interface Reserved {
  readonly tag: string;
  readonly cost: bigint;
}

const DAY_SECONDS = 86_400;

/** Budget of a day for each tag that the policy names no budget for. */
export class TagBudget {
  readonly #machine: Machine;
  readonly #budget: bigint;
  readonly #named: ReadonlySet<string>;
  /** Payments that were handed to the machine and are not answered, by their tickets. */
  readonly #reserved = new Map<number, Reserved>();

  /** @param named Tags with a budget of their own, which the machine checks. */
  constructor(machine: Machine, budget: bigint, named: readonly string[]) {
    this.#machine = machine;
    this.#budget = budget;
    this.#named = new Set(named);
  }

  /** @throws OverBudgetError if the budget of the tag does not cover the units. */
  check(generations: readonly Pick<BatchedGeneration, 'license' | 'units'>[], tag: string | undefined): void {
    if (tag === undefined || this.#named.has(tag)) return;
    const total = this.#committed(tag) + this.#cost(generations);
    if (total <= this.#budget) return;
    const text = `the budget of the tag for today is ${this.#budget} base units: expected at least ${total}`;
    throw new OverBudgetError(text, total, this.#budget);
  }

  /** Checks a payment, and counts it until it is released. */
  reserve(ticket: number, generations: readonly BatchedGeneration[], tag: string | undefined): void {
    if (tag === undefined || this.#named.has(tag)) return;
    this.check(generations, tag);
    this.#reserved.set(ticket, { tag, cost: this.#cost(generations) });
  }

  /** Ends the reservation of a payment that was answered, refused, or whose outcome the machine counts as spent. */
  release(ticket: number): void {
    this.#reserved.delete(ticket);
  }

  #committed(tag: string): bigint {
    const { committed } = this.#machine.spentOn(Math.floor(now() / DAY_SECONDS), tag);
    const reserved = [...this.#reserved.values()].filter((one) => one.tag === tag);
    return reserved.reduce((sum, { cost }) => sum + cost, BigInt(committed));
  }

  /** Returns the highest cost. Free units may be used by the payments under way, and count only without any. */
  #cost(generations: readonly Pick<BatchedGeneration, 'license' | 'units'>[]): bigint {
    const isAlone = this.#reserved.size === 0 && generations.length === 1;
    const prices = generations.map(({ license, units }) => {
      const { price, free_units_left } = this.#machine.license(license);
      return BigInt(this.#machine.quote({ price, units, free_units: isAlone ? free_units_left : '0' }).price);
    });
    const price = String(prices.reduce((sum, one) => sum + one, 0n));
    const { operator_fee_bps } = this.#machine.status();
    return BigInt(this.#machine.quote({ price, units: 1, operator_fee_bps }).total);
  }
}
