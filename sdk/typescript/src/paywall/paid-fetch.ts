import { randomHex } from '../bytes.js';
import { now, pause } from '../clock.js';
import type { PaywallLicense } from '../core/calls.js';
import { callWithForeign } from '../core/module-error.js';
import type { Purchase } from '../core/types.js';
import { MotifError, PriceError, RefusedError, UntrustedError } from '../errors.js';
import type { Fetch } from '../gateway/http.js';
import type { Payer } from '../payer/payer.js';
import type { PriceTag } from '../wire.js';
import { Doubts } from './doubts.js';
import { readRequest, takeKey, toInit, type PaidRequest } from './paid-request.js';
import { Payment, attachPayment } from './payment.js';
import { PaywallPurchase, digestOf, readRequired } from './paywall.js';
import { Places } from './places.js';
import { MemoryPurchases, type PurchaseLog } from './purchases.js';
import { openStream, toResponse } from './response.js';
import type { WrapOptions } from './wrap-options.js';

const REQUIRED = 'motif-payment-required';
const MAX_BYTES = 64 << 20;
/** Added to the required hold time, because clocks differ, seconds. */
const EXTRA_SECONDS = 60;
/** Time between attempts at a paywall that is at its capacity, milliseconds. */
const FULL_PAUSE = 200;
/** Time for which a request waits for a place among the channel's unpaid answers, milliseconds. */
const PLACE_TIMEOUT = 600_000;
/** Number of purchases of a request whose holds end without a payment. */
const HOLD_ATTEMPTS = 3;
/** Refusals for want of a place. They end the hold. */
const WITHOUT_PLACE: ReadonlySet<string> = new Set(['too-many-unpaid', 'paywall-full']);

/** Buys what a paywall asks a payment for. */
export class PaidFetch {
  readonly #fetch: Fetch;
  readonly #payer: Payer;
  readonly #options: WrapOptions;
  readonly #purchases: PurchaseLog;
  readonly #doubts = new Doubts();
  /** Named requests that are under way: the next one of a name waits. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(fetch: Fetch, payer: Payer, options: WrapOptions) {
    // A browser's fetch is called without a receiver.
    this.#fetch = (input, init) => fetch(input, init);
    this.#payer = payer;
    this.#options = options;
    this.#purchases = options.purchases ?? new MemoryPurchases();
  }

  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = await readRequest(input, init);
    const key = takeKey(request.headers);
    const redirect = init?.redirect ?? (input instanceof Request ? input.redirect : 'follow');
    const response = await this.#fetch(request.url, { ...toInit(request, request.headers), redirect });
    const header = response.status === 402 ? response.headers.get(REQUIRED) : null;
    if (header === null) return response;
    await response.body?.cancel();
    const paid = moved(request, response);
    const required = readRequired(this.#payer.core, header);
    const priceTag = required['price-tag'];
    if (!priceTag) throw new UntrustedError('payment is due before a price was named');
    return this.#buy(paid, priceTag, key);
  }

  async #buy(request: PaidRequest, priceTag: PriceTag, key: string | undefined): Promise<Response> {
    const { tag, maxPrice, onPayment } = this.#options;
    if (this.#payer.isUnanswered) await this.#payer.resume();
    const offer = await this.#license(priceTag);
    const cost = BigInt(offer.most_cost);
    if (cost > maxPrice) {
      const text = `the answer costs up to ${cost} base units: expected at most ${maxPrice}`;
      throw new PriceError('max-price-exceeded', text, cost, maxPrice);
    }
    this.#payer.check(offer.license, 1, tag);
    const fresh: Purchase = {
      license: offer.license,
      units: offer.units,
      key: key ?? randomHex(16),
      request_digest: digestOf(this.#payer, request),
      expires_at: now() + offer.hold_seconds + EXTRA_SECONDS,
    };
    const payment = new Payment(offer.license);
    const buy = () => this.#buyNamed(request, key, fresh, payment, offer.streams);
    const response = await (key === undefined ? buy() : this.#inTurn(this.#nameOf(request, key, fresh), buy));
    if (payment.receipts.length > 0 || offer.streams) onPayment?.(payment);
    return attachPayment(response, payment, request.url);
  }

  /** Finds the license that pays. One that is new on chain is read from there. */
  async #license(priceTag: PriceTag): Promise<PaywallLicense> {
    const input = { ...this.#payer.handle, price_tag: priceTag, now: now() };
    const find = () => callWithForeign('the price tag', () => this.#payer.core.call('paywall.license', input));
    try {
      return find();
    } catch (error) {
      if (!(error instanceof MotifError && error.type === 'not-licensed')) throw error;
    }
    await this.#payer.refresh();
    return find();
  }

  async #buyNamed(
    request: PaidRequest,
    key: string | undefined,
    fresh: Purchase,
    payment: Payment,
    streams: boolean,
  ): Promise<Response> {
    const open = (purchase: Purchase) => this.#open(request, purchase, payment);
    const known = await this.#known(request, key, fresh);
    if (!known) await this.#keep(request, key, fresh);
    const buyOnce = (purchase: Purchase) => (streams ? openStream(open(purchase)) : this.#answer(open(purchase)));
    return this.#buyInPlace(buyOnce, request, key, known, fresh);
  }

  /** Runs work after the last one of the same name. */
  async #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const last = this.#running.get(name) ?? Promise.resolve();
    const running = last.then(work, work);
    this.#running.set(name, running);
    try {
      return await running;
    } finally {
      if (this.#running.get(name) === running) this.#running.delete(name);
    }
  }

  #open(request: PaidRequest, purchase: Purchase, payment: Payment): PaywallPurchase {
    const { tag, maxPrice, maxBytes = MAX_BYTES } = this.#options;
    const apiKey = this.#options.apiKeys?.[new URL(request.url).origin];
    const options = { apiKey, patience: this.#patience, maxBytes };
    const [fetch, payer] = [this.#fetch, this.#payer];
    return new PaywallPurchase({ fetch, options, payer, request, purchase, payment, tag, maxPrice });
  }

  get #patience(): number {
    return this.#options.patience ?? this.#payer.gateway.patience;
  }

  /** Buys within the paywall's limit of unpaid answers. A refusal that ends the hold is followed by another purchase. */
  async #buyInPlace(
    buyOnce: (purchase: Purchase) => Promise<Response>,
    request: PaidRequest,
    key: string | undefined,
    known: Purchase | undefined,
    fresh: Purchase,
  ): Promise<Response> {
    const places = Places.of(this.#payer);
    const deadline = Date.now() + PLACE_TIMEOUT;
    let ended = 0;
    for (let purchase = known ?? fresh; ;) {
      await places.take(deadline - Date.now(), request.signal);
      try {
        const response = await buyOnce(purchase);
        places.notePaid();
        return response;
      } catch (error) {
        const type = endOfHold(error, purchase, purchase === known);
        if (type === undefined || Date.now() >= deadline) throw error;
        if (WITHOUT_PLACE.has(type)) places.noteRefused();
        else if (++ended >= HOLD_ATTEMPTS) throw error;
      } finally {
        places.release();
      }
      await pause(FULL_PAUSE, request.signal);
      purchase = { ...fresh, key: randomHex(16) };
      await this.#keep(request, key, purchase);
    }
  }

  async #answer(paywall: PaywallPurchase): Promise<Response> {
    try {
      return toResponse(await paywall.buy());
    } catch (error) {
      if (!(error instanceof MotifError && error.isDefinite)) this.#doubts.add(paywall.request, paywall.purchase);
      throw error;
    }
  }

  /** Returns the purchase of an earlier request: under the caller's key, or of an equal request in doubt. */
  async #known(request: PaidRequest, key: string | undefined, fresh: Purchase): Promise<Purchase | undefined> {
    if (key === undefined) return this.#doubts.take(request, fresh.request_digest);
    return this.#purchases.get(this.#nameOf(request, key, fresh));
  }

  /** Keeps a purchase under the caller's key. */
  async #keep(request: PaidRequest, key: string | undefined, purchase: Purchase): Promise<void> {
    if (key !== undefined) await this.#purchases.set(this.#nameOf(request, key, purchase), purchase);
  }

  #nameOf({ method, url }: PaidRequest, key: string, { request_digest }: Purchase): string {
    return `${this.#payer.channel} ${method} ${url} ${request_digest} ${key}`;
  }
}

/** Returns the refusal that proves that a purchase has no hold, or one that has ended without a payment. */
function endOfHold(error: unknown, { expires_at }: Purchase, isKnown: boolean): string | undefined {
  if (!(error instanceof RefusedError) || !error.isDefinite) return undefined;
  const { type } = error.problem;
  // A purchase of an earlier process was named too long ago for a hold.
  if (type === 'hold-too-short') return isKnown ? type : undefined;
  // A hold that has expired could have been paid for.
  const isOver = WITHOUT_PLACE.has(type) || type === 'hold-ended';
  return isOver && expires_at > now() ? type : undefined;
}

/** Returns the request at the URL that a redirect within its origin led to. Only a GET is the same request there. */
function moved(request: PaidRequest, response: Response): PaidRequest {
  if (!response.redirected) return request;
  const [from, to] = [new URL(request.url), new URL(response.url)];
  if (from.origin !== to.origin) throw new UntrustedError('a redirect leads to a paywall of another origin');
  if (request.method !== 'GET') throw new UntrustedError(`a redirect leads a ${request.method} to a paywall`);
  return { ...request, url: to.href };
}
