import { randomHex } from '../bytes.js';
import { now } from '../clock.js';
import type { PaywallLicense } from '../core/calls.js';
import { callWithForeign } from '../core/module-error.js';
import type { Purchase } from '../core/types.js';
import { MotifError, PriceError, UntrustedError } from '../errors.js';
import type { Fetch } from '../gateway/http.js';
import {
  assertAmount,
  assertInteger,
  assertMilliseconds,
  assertObject,
  assertText,
  assertToken,
  checkUrl,
  invalidInput,
} from '../input.js';
import { Payer } from '../payer/payer.js';
import type { PriceTag } from '../wire.js';
import { readRequest, takeKey, toInit, type PaidRequest } from './paid-request.js';
import { Payment, attachPayment } from './payment.js';
import { PaywallPurchase, digestOf, readRequired } from './paywall.js';
import { PurchaseBook } from './purchase-book.js';
import { Purchasing } from './purchasing.js';
import type { WrapOptions } from './wrap-options.js';

const REQUIRED = 'motif-payment-required';
const MAX_BYTES = 64 << 20;
const TIMEOUT = 180_000;
/** Added to the required hold time, because clocks differ, seconds. */
const EXTRA_SECONDS = 60;

/** Buys what a paywall asks a payment for. */
export class PaidFetch {
  readonly #fetch: Fetch;
  readonly #payer: Payer;
  readonly #options: WrapOptions;
  readonly #book: PurchaseBook;

  constructor(fetch: Fetch, payer: Payer, options: WrapOptions) {
    assertWrap(fetch, payer, options);
    // A browser's fetch is called without a receiver.
    this.#fetch = (input, init) => fetch(input, init);
    this.#payer = payer;
    this.#options = options;
    this.#book = PurchaseBook.of(payer);
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
    await this.#payer.settleDoubts();
    const offer = await this.#license(priceTag);
    const seconds = offer.hold_seconds + EXTRA_SECONDS;
    const fresh: Purchase = {
      license: offer.license,
      units: offer.units,
      key: key ?? randomHex(16),
      request_digest: digestOf(this.#payer, request),
      expires_at: now() + seconds,
    };
    const payment = new Payment(offer.license);
    const purchasing = new Purchasing({
      book: this.#book,
      log: this.#options.purchases ?? this.#book.named,
      name: this.#nameOf(request, fresh.request_digest, key),
      isNamed: key !== undefined,
      fresh,
      seconds,
      streams: offer.streams,
      check: () => this.#check(offer),
      open: (purchase) => this.#open(request, purchase, payment),
    });
    const { response, isPaid } = await purchasing.run();
    if (!isPaid) return response;
    this.#options.onPayment?.(payment);
    return attachPayment(response, payment);
  }

  /** Compares the highest cost with `maxPrice`, policy and budgets. */
  #check({ license, units, most_cost }: PaywallLicense): void {
    const { tag, maxPrice } = this.#options;
    const cost = BigInt(most_cost);
    if (cost > maxPrice) {
      const text = `the answer costs up to ${cost} base units: expected at most ${maxPrice}`;
      throw new PriceError('max-price-exceeded', text, cost, maxPrice);
    }
    this.#payer.check(license, 'exactly' in units ? units.exactly : units.at_most, tag);
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

  #open(request: PaidRequest, purchase: Purchase, payment: Payment): PaywallPurchase {
    const { tag, maxPrice, maxBytes = MAX_BYTES, timeout = TIMEOUT } = this.#options;
    const patience = this.#options.patience ?? this.#payer.gateway.patience;
    const apiKey = this.#options.apiKeys?.[new URL(request.url).origin];
    const options = { apiKey, patience, timeout, maxBytes };
    const [fetch, payer] = [this.#fetch, this.#payer];
    return new PaywallPurchase({ fetch, options, payer, request, purchase, payment, tag, maxPrice });
  }

  #nameOf({ method, url }: PaidRequest, digest: string, key: string | undefined): string {
    const parts = [this.#payer.channel, method, url, digest];
    // An equal request of another user is another purchase.
    return JSON.stringify([...parts, key ?? null, this.#options.tag ?? null]);
  }
}

/** @throws MotifError `invalid-input` for settings that are missing or malformed. */
function assertWrap(fetch: Fetch, payer: Payer, options: WrapOptions): void {
  if (typeof fetch !== 'function') throw invalidInput('invalid fetch: expected a function');
  if (!(payer instanceof Payer)) throw invalidInput('invalid payer: expected one of `Payer.open`');
  assertObject('options: expected { maxPrice }', options);
  assertAmount('maxPrice', options.maxPrice);
  const { tag, patience, timeout, maxBytes, purchases, onPayment, apiKeys = {} } = options;
  assertObject('apiKeys', apiKeys);
  for (const [origin, key] of Object.entries(apiKeys)) {
    if (checkUrl('paywall with an API key', origin) !== new URL(origin).origin) {
      throw invalidInput(`invalid apiKeys: expected the origin ${new URL(origin).origin}`);
    }
    assertToken(`API key of ${origin}`, key);
  }
  if (tag !== undefined) assertText('tag', tag);
  assertMilliseconds('patience', patience);
  assertMilliseconds('timeout', timeout);
  if (maxBytes !== undefined) assertInteger('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
  if (purchases !== undefined) assertObject('purchases', purchases);
  if (onPayment !== undefined && typeof onPayment !== 'function')
    throw invalidInput('invalid onPayment: expected a function');
}

/** Returns the request at the URL that a redirect within its origin led to. Only a GET is the same request there. */
function moved(request: PaidRequest, response: Response): PaidRequest {
  if (!response.redirected) return request;
  const [from, to] = [new URL(request.url), new URL(response.url)];
  if (from.origin !== to.origin) throw new UntrustedError('a redirect leads to a paywall of another origin');
  if (request.method !== 'GET') throw new UntrustedError(`a redirect leads a ${request.method} to a paywall`);
  return { ...request, url: to.href };
}
