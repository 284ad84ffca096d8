import { randomHex } from '../bytes.js';
import { now, pause } from '../clock.js';
import type { Purchase } from '../core/types.js';
import { MotifError, RefusedError } from '../errors.js';
import { emit } from '../events.js';
import type { PaywallPurchase } from './paywall.js';
import { Places } from './places.js';
import type { PurchaseBook } from './purchase-book.js';
import type { PurchaseLog } from './purchases.js';
import { answer, openStream } from './response.js';

/** Time between attempts at a paywall that is at its capacity, milliseconds. */
const FULL_PAUSE = 200;
/** Time for which a request waits for a place among the channel's unpaid answers, milliseconds. */
const PLACE_TIMEOUT = 600_000;
/** Number of purchases of a request whose holds end without a payment. */
const HOLD_ATTEMPTS = 3;
/** Refusals for want of a place. They end the hold. */
const WITHOUT_PLACE: ReadonlySet<string> = new Set(['too-many-unpaid', 'paywall-full']);
/** Refusals after which a hold of this name is another request's. */
const OTHER_REQUEST: ReadonlySet<string> = new Set(['idempotency-key-reused', 'answer-running']);

/** What a purchase is for. */
export interface PurchaseParts {
  readonly book: PurchaseBook;
  /** Where purchases under callers' keys are kept. */
  readonly log: PurchaseLog;
  /** Name of the request: payer, tag, method, URL and body, and the caller's key if it has one. */
  readonly name: string;
  /** Whether the caller chose the idempotency key. */
  readonly isNamed: boolean;
  /** Purchase, unless an earlier one is continued. */
  readonly fresh: Purchase;
  /** Time that a hold lasts, seconds. */
  readonly seconds: number;
  /** Whether the answer is a stream. */
  readonly streams: boolean;
  /** Compares the highest cost with the limits. A purchase that may have been paid for is continued without. */
  readonly check: () => void;
  /** Opens a purchase of the request. */
  readonly open: (purchase: Purchase) => PaywallPurchase;
}

/** Response of a paywall, and whether anything is paid for it. */
export interface Bought {
  readonly response: Response;
  readonly isPaid: boolean;
}

/** Buys one answer or stream: waits for a place, continues an earlier purchase, and begins again after holds that ended. */
export class Purchasing {
  readonly #parts: PurchaseParts;
  readonly #places: Places;
  readonly #deadline = Date.now() + PLACE_TIMEOUT;
  readonly #paywall: PaywallPurchase;
  #purchase: Purchase;
  /** Whether an earlier request may have paid. */
  #isKnown = false;
  /** Whether the paywall may have a hold. */
  #isAsked = false;

  constructor(parts: PurchaseParts) {
    this.#parts = parts;
    this.#purchase = parts.fresh;
    this.#paywall = parts.open(parts.fresh);
    this.#places = Places.of(this.#paywall.payer);
  }

  /** Buys the answer. */
  run(): Promise<Bought> {
    const { book, name, isNamed } = this.#parts;
    return isNamed ? book.inTurn(name, () => this.#run()) : this.#run();
  }

  async #run(): Promise<Bought> {
    const { book, log, name, isNamed } = this.#parts;
    const known = isNamed ? await log.get(name) : book.takeDoubt(name);
    if (known) [this.#purchase, this.#isKnown, this.#isAsked] = [known, true, true];
    else this.#parts.check();
    try {
      // Its payment may be under way, for a caller that has left.
      if (known) await this.#paywall.payer.settleDoubts(true);
      return await this.#buy();
    } catch (error) {
      await this.#settle(error);
      throw error;
    }
  }

  /** Buys within the paywall's limit of unpaid answers. A refusal that ends the hold is followed by another purchase. */
  async #buy(): Promise<Bought> {
    const { request } = this.#paywall;
    for (let ended = 0; ended < HOLD_ATTEMPTS;) {
      try {
        return await this.#attempt();
      } catch (error) {
        const type = this.#endOfHold(error);
        if (type === undefined || Date.now() >= this.#deadline) throw error;
        if (WITHOUT_PLACE.has(type)) this.#noteRefused(type);
        else if (++ended >= HOLD_ATTEMPTS) throw error;
      }
      await pause(FULL_PAUSE, request.signal);
      this.#renew();
    }
    throw new MotifError('internal', 'a purchase has no attempts left');
  }

  async #attempt(): Promise<Bought> {
    const { open, streams } = this.#parts;
    await this.#places.take(this.#deadline - Date.now(), this.#paywall.request.signal);
    const place = once(() => this.#places.release());
    const paid = () => (this.#places.notePaid(), place());
    try {
      if (!this.#isAsked) await this.#begin();
      const paywall = open(this.#purchase);
      // A stream takes its place until its end.
      if (streams) return await openStream(paywall, paid, place);
      const bought = await answer(paywall, this.#isKnown || this.#parts.isNamed);
      paid();
      return bought;
    } catch (error) {
      place();
      throw error;
    }
  }

  #noteRefused(problem: string): void {
    this.#places.noteRefused();
    const { payer, request } = this.#paywall;
    emit(payer.onEvent, { type: 'place-refused', origin: new URL(request.url).origin, problem });
  }

  /** Returns the refusal that proves that a purchase has no hold, or one that has ended without a payment. */
  #endOfHold(error: unknown): string | undefined {
    if (!(error instanceof RefusedError) || !error.isDefinite) return undefined;
    const { type } = error.problem;
    // A purchase of an earlier process was named too long ago for a hold.
    if (type === 'hold-too-short') return this.#isKnown ? type : undefined;
    // A hold that has expired could have been paid for.
    const isOver = WITHOUT_PLACE.has(type) || type === 'hold-ended';
    return isOver && this.#purchase.expires_at > now() ? type : undefined;
  }

  /** Gives the hold its whole time from now on, and keeps the purchase before it is sent. */
  async #begin(): Promise<void> {
    this.#purchase = { ...this.#purchase, expires_at: now() + this.#parts.seconds };
    await this.#keep();
    this.#isAsked = true;
  }

  /** Begins again with another hold. */
  #renew(): void {
    this.#purchase = { ...this.#parts.fresh, key: randomHex(16) };
    [this.#isKnown, this.#isAsked] = [false, false];
  }

  /** Keeps the purchase under the caller's key. */
  async #keep(): Promise<void> {
    const { log, name, isNamed } = this.#parts;
    if (isNamed) await log.set(name, this.#purchase);
  }

  /** Keeps a purchase that may have been paid for; frees the funds of one that was not. */
  async #settle(error: unknown): Promise<void> {
    const { book, name, isNamed, streams } = this.#parts;
    const { payer, request } = this.#paywall;
    const isOther = error instanceof RefusedError && OTHER_REQUEST.has(error.problem.type);
    const isDefinite = error instanceof MotifError && error.isDefinite && !this.#isKnown;
    const kind = error instanceof MotifError ? error.type : 'aborted';
    const message = error instanceof MotifError ? error.message : 'the request was aborted';
    const { origin } = new URL(request.url);
    emit(payer.onEvent, { type: 'purchase-failed', origin, error: kind, message, isDefinite });
    if (!isDefinite || isOther) {
      if (!isNamed && !streams && this.#isAsked) book.addDoubt(name, this.#purchase);
      return;
    }
    if (!this.#isAsked) return;
    // Neither may hide the error: a hold ends by itself, and a name whose hold has ended is bought again.
    await payer.releasePurchase(this.#purchase).catch(() => undefined);
    this.#renew();
    await this.#keep().catch(() => undefined);
  }
}

/** Returns a function that runs once. */
function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
