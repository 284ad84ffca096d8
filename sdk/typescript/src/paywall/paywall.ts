import { pause } from '../clock.js';
import type { Calls } from '../core/calls.js';
import { callWithForeign } from '../core/module-error.js';
import type { PayerCore } from '../core/payer-core.js';
import type { Purchase } from '../core/types.js';
import { PriceError, RefusedError, UnreachableError, UntrustedError } from '../errors.js';
import { reportRetries } from '../events.js';
import {
  exchange,
  isBusy,
  problemText,
  readBody,
  readProblem,
  retry,
  within,
  type Answered,
  type Fetch,
} from '../gateway/http.js';
import type { Payer } from '../payer/payer.js';
import type { Due, Problem, Receipt, Voucher } from '../wire.js';
import { PurchaseBook } from './purchase-book.js';
import { targetOf, toInit, type PaidRequest } from './paid-request.js';
import type { Payment } from './payment.js';

/** Settings of requests to a paywall. */
export interface PaywallOptions {
  /** API key of the paywall's gateway, if it requires one. */
  readonly apiKey?: string | undefined;
  /** How long unanswered requests are repeated, milliseconds. */
  readonly patience: number;
  /** Time limit of one attempt, milliseconds. */
  readonly timeout: number;
  /** Maximum size of an answer, bytes. */
  readonly maxBytes: number;
}

const HEADERS = { payment: 'motif-payment', required: 'motif-payment-required', receipt: 'motif-receipt' };
/** Maximum time to wait for an answer that is being made, milliseconds. */
const RUNNING_TIMEOUT = 600_000;
const RUNNING_PAUSE = 500;

/** Payment of an answer or a part that has not arrived. */
export interface PartPayment {
  readonly voucher: Voucher;
  readonly receipt: Receipt;
}

/** Purchase of one answer, or of one stream, behind a paywall. */
export class PaywallPurchase {
  readonly #fetch: Fetch;
  readonly #options: PaywallOptions;
  readonly payer: Payer;
  readonly request: PaidRequest;
  readonly purchase: Purchase;
  readonly payment: Payment;
  readonly tag: string | undefined;
  readonly #maxPrice: bigint;

  constructor(parts: {
    fetch: Fetch;
    options: PaywallOptions;
    payer: Payer;
    request: PaidRequest;
    purchase: Purchase;
    payment: Payment;
    tag: string | undefined;
    maxPrice: bigint;
  }) {
    this.#fetch = parts.fetch;
    this.#options = parts.options;
    this.payer = parts.payer;
    this.request = parts.request;
    this.purchase = parts.purchase;
    this.payment = parts.payment;
    this.tag = parts.tag;
    this.#maxPrice = parts.maxPrice;
  }

  get #book(): PurchaseBook {
    return PurchaseBook.of(this.payer);
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /**
   * Requests the answer: returns it once it is paid, or the server's refusal, which costs nothing.
   *
   * @param mayBePaid Whether an earlier request, also one of another process, may have paid.
   */
  async buy(mayBePaid: boolean): Promise<Answered> {
    const begun = Date.now();
    const paid = this.#book.paymentOf(this.purchase.key) ?? (mayBePaid && this.payer.takePayment(this.purchase));
    if (paid) return this.#fetchPaid(paid);
    for (;;) {
      const answered = await this.#patiently(() => this.#exchangeAsk());
      if (isSuccess(answered.status)) {
        if (!mayBePaid) throw new UntrustedError('an answer was sent for a purchase that was not paid');
        return this.#paidBefore(answered);
      }
      const due = this.#dueIn(answered);
      if (due) return this.#fetchPaid(await this.pay(due, 0));
      const problem = this.problemIn(answered);
      if (!problem) return answered;
      const isRunning = problem.type === 'answer-running';
      if (!isRunning || Date.now() - begun >= RUNNING_TIMEOUT) {
        throw new RefusedError('refused', problemText(problem), problem);
      }
      await pause(RUNNING_PAUSE, this.request.signal);
    }
  }

  /** Requests a stream once; returns the response before its body is read. */
  async open(): Promise<Response> {
    const { url, signal } = this.request;
    const init = await this.#askInit();
    // The caller's signal ends the body, too; the time limit ends with the headers.
    const late = new AbortController();
    const opening = AbortSignal.any([signal, late.signal]);
    try {
      return await this.within((limit) => {
        limit.addEventListener('abort', () => late.abort(limit.reason), { once: true });
        return this.#fetch(url, { ...init, signal: opening });
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new UnreachableError(url, error);
    }
  }

  /** Reads the body of a response. */
  async read(response: Response): Promise<Answered> {
    const { status, headers, url } = response;
    try {
      const body = await this.within(() => readBody(response, this.maxBytes));
      return { status, headers, url, body };
    } catch (error) {
      if (error instanceof UntrustedError || this.request.signal.aborted) throw error;
      throw new UnreachableError(this.request.url, error);
    }
  }

  /** Runs work within the time limit, or until the caller's signal aborts. */
  within<T>(work: (limit: AbortSignal) => Promise<T>): Promise<T> {
    return within(this.#options.timeout, this.request.signal, (limit) => {
      return Promise.race([work(limit), rejected(limit)]);
    });
  }

  /** Checks what is due for a part, and pays for it. */
  async pay(due: Due, part: number): Promise<PartPayment> {
    const check = () => this.payer.core.call('purchase.due', { ...this.#of(), part, due });
    const { generation } = callWithForeign('the due', check);
    const { price } = this.payer.license(generation.license);
    const total = this.payment.cost + this.#withFee(price, generation.units);
    if (total > this.#maxPrice) {
      const text = `the answer costs ${total} base units: expected at most ${this.#maxPrice}`;
      throw new PriceError('max-price-exceeded', text, total, this.#maxPrice);
    }
    const { signal } = this.request;
    return this.payer.payDue(generation, this.tag === undefined ? { signal } : { signal, tag: this.tag });
  }

  /** Shows the voucher of a paid answer or part; returns the paywall's answer. */
  async show(voucher: Voucher, part: number): Promise<Answered> {
    const { header } = this.payer.core.call('purchase.pay', { ...this.#of(), part, voucher });
    const { method, url, signal, init } = this.request;
    const headers = this.#headers(header, new Headers());
    const shown: RequestInit = { ...init, method, headers, signal, redirect: 'manual' };
    const answered = await this.#patiently(() => this.#exchange(url, shown));
    if (!isSuccess(answered.status)) throw this.#refusedAfterPayment(answered);
    return answered;
  }

  /** Checks that the bytes of an answer or part are those that were paid for. */
  checkAnswer(answered: Answered, receipt: Receipt): void {
    this.payer.core.call('purchase.answer', { receipt, header: receiptHeader(answered) }, answered.body);
  }

  /** Checks that the paywall's answer to a voucher is for the part that was paid for. */
  checkShown(answered: Answered, receipt: Receipt): void {
    this.payer.core.call('purchase.shown', { receipt, header: receiptHeader(answered) });
  }

  /** Returns the gateway's problem in a refusal; `undefined` for the refusal of the model server behind it. */
  problemIn({ body }: Answered): Problem | undefined {
    const problem = readProblem(body);
    if (!problem) return undefined;
    const known = this.payer.core.call('version', {}).problem_types;
    return known.some(({ type }) => type === problem.type) ? problem : undefined;
  }

  /** Shows the voucher that paid for the answer. What has paid is kept until the answer has arrived. */
  async #fetchPaid(paid: PartPayment): Promise<Answered> {
    this.#book.addPayment(this.purchase.key, paid);
    const answered = await this.show(paid.voucher, 0);
    this.checkAnswer(answered, paid.receipt);
    this.#book.deletePayment(this.purchase.key);
    this.add(paid.receipt);
    return answered;
  }

  #paidBefore(answered: Answered): Answered {
    const input = { ...this.#of(), header: receiptHeader(answered) };
    const { receipt } = this.payer.core.call('purchase.earlier', input, answered.body);
    this.add(receipt);
    return answered;
  }

  #dueIn(answered: Answered): Due | undefined {
    const header = answered.status === 402 ? answered.headers.get(HEADERS.required) : null;
    return header === null ? undefined : readRequired(this.payer.core, header).due;
  }

  /** Notes what was paid. */
  add(receipt: Receipt): void {
    this.payment.add(receipt, this.#withFee(receipt.amount, 1));
  }

  #withFee(price: string, units: number): bigint {
    const { operatorFeeBps: operator_fee_bps } = this.payer;
    return BigInt(this.payer.core.call('price.quote', { price, units, operator_fee_bps }).total);
  }

  #refusedAfterPayment(answered: Answered): Error {
    const problem = readProblem(answered.body);
    if (problem) {
      return new RefusedError('outcome-unknown', `${problemText(problem)}; the payment may have been made`, problem);
    }
    return new UntrustedError(`a paid answer was refused with status ${answered.status}`);
  }

  async #exchangeAsk(): Promise<Answered> {
    return this.#exchange(this.request.url, await this.#askInit());
  }

  async #exchange(url: string, init: RequestInit): Promise<Answered> {
    const answered = await exchange(this.#fetch, url, init, this.#options);
    // A model server's refusal with status 429 is passed on.
    if (answered.status !== 429 && isBusy(answered.status) && !readProblem(answered.body)) {
      throw new UnreachableError(url, new Error(`a proxy answered with status ${answered.status}`));
    }
    return answered;
  }

  async #askInit(): Promise<RequestInit> {
    const header = await this.payer.ask(this.purchase);
    return { ...toInit(this.request, this.#headers(header, new Headers(this.request.headers))), redirect: 'manual' };
  }

  #headers(payment: string, headers: Headers): Headers {
    headers.set(HEADERS.payment, payment);
    headers.set('idempotency-key', this.purchase.key);
    if (this.#options.apiKey !== undefined) headers.set('motif-api-key', this.#options.apiKey);
    return headers;
  }

  /** Repeats a request until it is answered: the key names one answer, and a voucher pays once. */
  #patiently<T>(send: () => Promise<T>): Promise<T> {
    const isTransient = (error: unknown) => error instanceof UnreachableError;
    const { url, signal } = this.request;
    const onRetry = reportRetries(this.payer.onEvent, url);
    return retry(send, isTransient, this.#options.patience, { signal, onRetry });
  }

  #of() {
    return { ...this.payer.handle, purchase: this.purchase };
  }
}

/** Parses what a 402 requires. */
export function readRequired(core: PayerCore, header: string): Calls['payment_required.read']['output'] {
  return callWithForeign('the required payment', () => core.call('payment_required.read', { header }));
}

/** Returns the digest that binds a payment to its request. */
export function digestOf(payer: Payer, request: PaidRequest): string {
  const input = { method: request.method, target: targetOf(request) };
  return payer.core.call('request.digest', input, request.body).digest;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Rejects when a signal aborts. */
function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

function receiptHeader(answered: Answered): string | null {
  return answered.headers.get(HEADERS.receipt);
}
