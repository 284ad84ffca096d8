import type { PolicyJson } from '../core/types.js';
import { assertAmount, assertInteger, assertObject } from '../input.js';

/** Limits of what a payer signs. Amounts are base units, and include fees unless stated. */
export interface PayerPolicy {
  /** Maximum spending since the payer's state was created. Default: the channel's whole deposit. */
  readonly budget?: bigint;
  /** Maximum spending of a UTC day. */
  readonly budgetPerDay?: bigint;
  /** Maximum spending of a UTC day of each tag, such as a user, that `tagBudgetsPerDay` does not name. */
  readonly tagBudgetPerDay?: bigint;
  /** Maximum spending of a UTC day by tag. */
  readonly tagBudgetsPerDay?: Readonly<Record<string, bigint>>;
  /** Maximum price of a license's unit, without the operator's fee. */
  readonly maxUnitPrice?: bigint;
  /** Validity of vouchers, seconds. Default: a day. */
  readonly voucherSeconds?: number;
  /** Maximum number of generations that one voucher pays for, 1 to 1,000. */
  readonly maxBatch?: number;
}

/** @throws MotifError `invalid-input` if an amount is no bigint, or a number out of its range. */
export function assertPolicy(policy: PayerPolicy): void {
  const { budget, budgetPerDay, tagBudgetPerDay, tagBudgetsPerDay = {}, maxUnitPrice } = policy;
  const amounts = { budget, budgetPerDay, tagBudgetPerDay, maxUnitPrice };
  for (const [name, amount] of Object.entries(amounts)) if (amount !== undefined) assertAmount(name, amount);
  assertObject('tagBudgetsPerDay', tagBudgetsPerDay);
  for (const [tag, amount] of Object.entries(tagBudgetsPerDay)) assertAmount(`tagBudgetsPerDay of ${tag}`, amount);
  const { voucherSeconds, maxBatch } = policy;
  if (voucherSeconds !== undefined) assertInteger('voucherSeconds', voucherSeconds, 1, 2 ** 32 - 1);
  if (maxBatch !== undefined) assertInteger('maxBatch', maxBatch, 1, 1_000);
}

/** Returns the policy as the module of rules takes it. */
export function toPolicyJson(policy: PayerPolicy): PolicyJson {
  const { budget, budgetPerDay, tagBudgetsPerDay, maxUnitPrice, voucherSeconds, maxBatch } = policy;
  const tags = Object.entries(tagBudgetsPerDay ?? {}).map(([tag, amount]) => [tag, amount.toString()] as const);
  return {
    ...(budget === undefined ? {} : { budget: budget.toString() }),
    ...(budgetPerDay === undefined ? {} : { budget_per_day: budgetPerDay.toString() }),
    ...(tags.length === 0 ? {} : { tag_budgets_per_day: Object.fromEntries(tags) }),
    ...(maxUnitPrice === undefined ? {} : { max_unit_price: maxUnitPrice.toString() }),
    ...(voucherSeconds === undefined ? {} : { voucher_seconds: voucherSeconds }),
    ...(maxBatch === undefined ? {} : { max_batch: maxBatch }),
  };
}
