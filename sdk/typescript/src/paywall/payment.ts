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

/** Returns the payment of a response of `wrapFetchWithMotif`; `undefined` if nothing was paid for it. */
export function paymentOf(response: Response): Payment | undefined {
  return payments.get(response);
}

/** @internal Attaches the payment and the URL, which a response that is created here lacks. */
export function attachPayment(response: Response, payment: Payment, url: string): Response {
  Object.defineProperty(response, 'url', { value: url });
  payments.set(response, payment);
  return response;
}
