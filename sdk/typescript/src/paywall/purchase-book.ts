import { now } from '../clock.js';
import type { Purchase } from '../core/types.js';
import type { Payer } from '../payer/payer.js';
import type { PartPayment } from './paywall.js';
import { MemoryPurchases } from './purchases.js';

/**
 * What a payer's purchases share, however many functions wrap it: those without a caller's key whose outcome is unknown,
 * which the next equal request continues, so that clients that repeat a failed request pay once; those with a key; and
 * which are under way.
 */
export class PurchaseBook {
  static readonly #MAX = 1_000;
  readonly #doubts: { readonly name: string; readonly purchase: Purchase }[] = [];
  /** Purchases under the callers' keys, unless they are kept elsewhere. */
  readonly named = new MemoryPurchases();
  /** Named requests that are under way: the next one of a name waits. */
  readonly #running = new Map<string, Promise<unknown>>();

  readonly #paid = new Map<string, PartPayment>();

  /** Returns the book of a payer. */
  static of(payer: Payer): PurchaseBook {
    const known = books.get(payer) ?? new PurchaseBook();
    books.set(payer, known);
    return known;
  }

  /** Returns the payment of a purchase whose answer has not arrived, by the purchase's key. */
  paymentOf(key: string): PartPayment | undefined {
    return this.#paid.get(key);
  }

  /** Keeps a payment until its answer has arrived. The oldest are forgotten. */
  addPayment(key: string, paid: PartPayment): void {
    this.#paid.set(key, paid);
    const [oldest] = this.#paid.keys();
    if (this.#paid.size > PurchaseBook.#MAX && oldest !== undefined) this.#paid.delete(oldest);
  }

  deletePayment(key: string): void {
    this.#paid.delete(key);
  }

  /** Keeps a purchase whose outcome is unknown. */
  addDoubt(name: string, purchase: Purchase): void {
    this.#doubts.push({ name, purchase });
    if (this.#doubts.length > PurchaseBook.#MAX) this.#doubts.shift();
  }

  /** Returns and forgets the oldest purchase in doubt of a name. */
  takeDoubt(name: string): Purchase | undefined {
    const index = this.#doubts.findIndex((one) => one.name === name && one.purchase.expires_at > now());
    return index < 0 ? undefined : this.#doubts.splice(index, 1)[0]?.purchase;
  }

  /** Runs work after the last one of the same name. */
  async inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const last = this.#running.get(name) ?? Promise.resolve();
    const running = last.then(work, work);
    this.#running.set(name, running);
    try {
      return await running;
    } finally {
      if (this.#running.get(name) === running) this.#running.delete(name);
    }
  }
}

const books = new WeakMap<Payer, PurchaseBook>();
