import type { Receipt } from '../wire.js';

/** What an answer behind a paywall cost. That of a stream grows while the stream is read. */
export class Payment {
  readonly #receipts: Receipt[] = [];
  readonly #costs: bigint[] = [];
  /** Index of the license that pays. */
  readonly license: number;

  constructor(license: number) {
    this.license = license;
  }

  /** Verified receipts: one of an answer, one of each part of a stream. */
  get receipts(): readonly Receipt[] {
    return this.#receipts;
  }

  /** Prices of all receipts with the operator's fee, base units: at most this was charged. */
  get cost(): bigint {
    return this.#costs.reduce((sum, cost) => sum + cost, 0n);
  }

  /** @internal */
  add(receipt: Receipt, cost: bigint): void {
    this.#receipts.push(receipt);
    this.#costs.push(cost);
  }
}

const payments = new WeakMap<Response, Payment>();

/**
 * Returns the payment of a response of `wrapFetchWithMotif`; `undefined` for one that is free: a route without a price, or
 * the model server's refusal. That of a stream has no receipts before its first part is read.
 */
export function paymentOf(response: Response): Payment | undefined {
  return payments.get(response);
}

/** @internal Attaches the payment of a response. */
export function attachPayment(response: Response, payment: Payment): Response {
  payments.set(response, payment);
  return response;
}
