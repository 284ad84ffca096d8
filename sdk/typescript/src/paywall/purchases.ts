import type { Purchase } from '../core/types.js';

/** Remembers what was bought under a caller's idempotency key, so that a repeated request is paid once. */
export interface PurchaseLog {
  /** Returns the purchase of a name; `undefined` if there is none. */
  get(name: string): Purchase | undefined | Promise<Purchase | undefined>;
  /** Keeps a purchase, durably if repeats may come after the end of this process, before it is sent. */
  set(name: string, purchase: Purchase): void | Promise<void>;
}

/** Purchases of this process. The oldest are forgotten. */
export class MemoryPurchases implements PurchaseLog {
  static readonly #MAX = 10_000;
  readonly #purchases = new Map<string, Purchase>();

  get(name: string): Purchase | undefined {
    return this.#purchases.get(name);
  }

  set(name: string, purchase: Purchase): void {
    this.#purchases.set(name, purchase);
    const [oldest] = this.#purchases.keys();
    if (this.#purchases.size > MemoryPurchases.#MAX && oldest !== undefined) this.#purchases.delete(oldest);
  }
}
