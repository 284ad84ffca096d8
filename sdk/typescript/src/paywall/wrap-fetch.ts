import type { Fetch } from '../gateway/http.js';
import type { Payer } from '../payer/payer.js';
import { PaidFetch } from './paid-fetch.js';
import type { WrapOptions } from './wrap-options.js';

/**
 * Returns a `fetch` that pays for what a Motif paywall asks for, and leaves all other answers as they are.
 *
 * A request is sent without a payment first. If the answer has status 402 and names a price within `maxPrice`, policy and
 * budgets, the request is repeated with a hold, the used units are paid for, and the answer is returned once its bytes and
 * its receipt are verified. A stream comes out as a plain body: each part is paid for when it is read.
 *
 * The caller's header `idempotency-key` names a purchase: a repeated request is paid once.
 *
 * @throws MotifError as {@link Payer.generate}, and `max-price-exceeded`, `not-licensed`, `price-tag-mismatch`. The model
 * server's own refusals are returned as responses, and cost nothing.
 */
export function wrapFetchWithMotif(fetch: Fetch, payer: Payer, options: WrapOptions): Fetch {
  const wrapped = new PaidFetch(fetch, payer, options);
  return (input, init) => wrapped.fetch(input, init);
}
