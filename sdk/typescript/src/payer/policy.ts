import type { PolicyJson } from '../core/types.js';

/** Limits of what a payer signs. Amounts are base units, and include fees unless stated. */
export interface PayerPolicy {
  /** Maximum spending since the payer's state was created. Default: the channel's whole deposit. */
  readonly budget?: bigint;
  /** Maximum spending of a UTC day. */
  readonly budgetPerDay?: bigint;
  /** Maximum spending of a tag on a UTC day. */
  readonly tagBudgetsPerDay?: Readonly<Record<string, bigint>>;
  /** Maximum price of a license's unit, without the operator's fee. */
  readonly maxUnitPrice?: bigint;
  /** Validity of vouchers, seconds. Default: a day. */
  readonly voucherSeconds?: number;
  /** Maximum number of generations that one voucher pays for, 1 to 1,000. */
  readonly maxBatch?: number;
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
