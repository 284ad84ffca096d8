import { now } from '../clock.js';
import type { Purchase } from '../core/types.js';
import type { PaidRequest } from './paid-request.js';

/**
 * Purchases without a key of the caller whose outcome is unknown. The next equal request continues such a purchase, so that
 * clients that repeat a failed request pay once.
 */
export class Doubts {
  static readonly #MAX = 1_000;
  readonly #purchases: { readonly name: string; readonly purchase: Purchase }[] = [];

  add(request: PaidRequest, purchase: Purchase): void {
    this.#purchases.push({ name: Doubts.#nameOf(request, purchase.request_digest), purchase });
    if (this.#purchases.length > Doubts.#MAX) this.#purchases.shift();
  }

  /** Returns and forgets the oldest purchase of the request. */
  take(request: PaidRequest, digest: string): Purchase | undefined {
    const name = Doubts.#nameOf(request, digest);
    const index = this.#purchases.findIndex((one) => one.name === name && one.purchase.expires_at > now());
    return index < 0 ? undefined : this.#purchases.splice(index, 1)[0]?.purchase;
  }

  static #nameOf(request: PaidRequest, digest: string): string {
    return `${request.url} ${digest}`;
  }
}
