import { randomHex } from '../bytes.js';
import { now, pause } from '../clock.js';
import type { Purchase } from '../core/types.js';
import { MotifError, PriceError, RefusedError, UntrustedError } from '../errors.js';
import { problemText, readBody, type Answered, type Fetch } from '../gateway/http.js';
import type { Payer } from '../payer/payer.js';
import type { PriceTag } from '../wire.js';
import { readRequest, takeKey, toInit, type PaidRequest } from './paid-request.js';
import { Payment, attachPayment } from './payment.js';
import { PaywallPurchase, digestOf, isSuccess } from './paywall.js';
import { MemoryPurchases, type PurchaseLog } from './purchases.js';
import { PaidStream } from './stream.js';

/** Settings of {@link wrapFetchWithMotif}. */
export interface WrapOptions {
  /** Maximum price of one answer, or of one whole stream, base units, fees included. */
  readonly maxPrice: bigint;
  /** Tag of the payments. */
  readonly tag?: string;
  /** Called with the payment of each answer, before the answer is returned. That of a stream grows later. */
  readonly onPayment?: (payment: Payment) => void;
  /** Tokens of API keys by the origin of the paywall that requires one, such as `https://shop.example`. Default: none. */
  readonly apiKeys?: Readonly<Record<string, string>>;
  /** How long unanswered requests are repeated, milliseconds. Default: that of the payer's gateway. */
  readonly patience?: number;
  /** Maximum size of an answer or of a part, bytes. Default: 64 MiB. */
  readonly maxBytes?: number;
  /** What was bought under idempotency keys of the caller. Default: kept by this process. */
  readonly purchases?: PurchaseLog;
}

const REQUIRED = 'motif-payment-required';
const KIND = 'motif-content-type';
const MAX_BYTES = 64 << 20;
/** Added to the required hold time, because clocks differ, seconds. */
const EXTRA_SECONDS = 60;
/** Time between attempts at a paywall that is at its capacity, milliseconds. */
const FULL_PAUSE = 500;
/** Headers of the exchange that do not describe the answer. */
const HOP_HEADERS = ['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive'];

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

class PaidFetch {
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
    const required = this.#payer.core.call('payment_required.read', { header });
    const priceTag = required['price-tag'];
    if (!priceTag) throw new UntrustedError('payment is due before a price was named');
    return this.#buy(paid, priceTag, key);
  }

  async #buy(request: PaidRequest, priceTag: PriceTag, key: string | undefined): Promise<Response> {
    const { tag, maxPrice, onPayment } = this.#options;
    await this.#payer.resume();
    const offer = this.#payer.core.call('paywall.license', { ...this.#payer.handle, price_tag: priceTag, now: now() });
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
    return attachPayment(response, payment);
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
    if (streams) return stream(open(known ?? fresh));
    return known ? this.#answer(open(known)) : this.#answerWhenFree(open, request, key, fresh);
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

  /** Buys an answer that was not requested before. A paywall at its capacity ends the hold: the next attempt is another. */
  async #answerWhenFree(
    open: (purchase: Purchase) => PaywallPurchase,
    request: PaidRequest,
    key: string | undefined,
    fresh: Purchase,
  ): Promise<Response> {
    const deadline = Date.now() + this.#patience;
    for (let purchase = fresh; ; ) {
      try {
        return await this.#answer(open(purchase));
      } catch (error) {
        const isFull = error instanceof RefusedError && error.problem.type === 'paywall-full';
        if (!isFull || error.type !== 'refused' || Date.now() >= deadline) throw error;
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

/**
 * Purchases without a key of the caller whose outcome is unknown. The next equal request continues such a purchase, so that
 * clients that repeat a failed request pay once.
 */
class Doubts {
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

/** Opens a stream; its body is paid for as it is read. */
async function stream(paywall: PaywallPurchase): Promise<Response> {
  const response = await paywall.open();
  if (!isSuccess(response.status) || !response.body) {
    const { status, headers, url } = response;
    const answered: Answered = { status, headers, url, body: await readBody(response, paywall.maxBytes) };
    const problem = paywall.problemIn(answered);
    if (problem) throw new RefusedError('refused', problemText(problem), problem);
    return toResponse(answered);
  }
  const headers = cleaned(response.headers);
  headers.set('content-type', response.headers.get(KIND) ?? 'application/octet-stream');
  const body = new PaidStream(paywall, response.body).toReadable();
  return new Response(body, { status: response.status, headers });
}

/** Returns the request at the URL that a redirect within its origin led to. Only a GET is the same request there. */
function moved(request: PaidRequest, response: Response): PaidRequest {
  if (!response.redirected) return request;
  const [from, to] = [new URL(request.url), new URL(response.url)];
  if (from.origin !== to.origin) throw new UntrustedError('a redirect leads to a paywall of another origin');
  if (request.method !== 'GET') throw new UntrustedError(`a redirect leads a ${request.method} to a paywall`);
  return { ...request, url: to.href };
}

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function toResponse({ status, headers, body }: Answered): Response {
  // Browsers hide where a redirect leads.
  if (status === 0) throw new UntrustedError('a paywall redirects a paid request');
  return new Response(WITHOUT_BODY.has(status) ? null : body, { status, headers: cleaned(headers) });
}

function cleaned(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of HOP_HEADERS) kept.delete(name);
  return kept;
}

