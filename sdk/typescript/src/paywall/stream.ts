import { callWithForeign } from '../core/module-error.js';
import { MotifError, RefusedError, UnreachableError, UntrustedError } from '../errors.js';
import { now } from '../clock.js';
import { EventReader } from './event-reader.js';
import type { PartPayment, PaywallPurchase } from './paywall.js';
import type { StreamEnd } from '../wire.js';

/** Maximum size of an event without its body. */
const MAX_ENVELOPE_BYTES = 16 << 10;
/** Attempts to fetch a paid part after a lost connection; each is repeated as long as patience lasts. */
const PART_ATTEMPTS = 3;

/** What is told of the course of a stream. */
export interface StreamListener {
  /** Called when the stream has been read to its end. */
  readonly onPaid: () => void;
  /** Called when the stream has ended in any way. */
  readonly onEnd: () => void;
}

/** Stream from behind a paywall, paid part by part as it is read. */
export class PaidStream {
  readonly #purchase: PaywallPurchase;
  readonly #events: EventReader;
  #part = 0;
  /** Units of the parts that arrived. */
  #units = 0;
  /** Last event, which came before the paid part. */
  #last: Uint8Array | undefined;
  /** Payment of a part that has not arrived. */
  #paid: PartPayment | undefined;
  readonly #listener: StreamListener;
  /** Ends a stream that is not read any more. */
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isIdle = false;

  constructor(purchase: PaywallPurchase, body: ReadableStream<Uint8Array>, listener: StreamListener) {
    this.#purchase = purchase;
    this.#listener = listener;
    this.#events = new EventReader(body, purchase.maxBytes * 2 + MAX_ENVELOPE_BYTES, purchase.request.url);
  }

  /**
   * Returns the joined parts. A part is paid for when it is asked for; cancelling ends the payments. A stream that is not
   * read until its hold has expired ends, too.
   */
  toReadable(): ReadableStream<Uint8Array> {
    this.#expectRead();
    return new ReadableStream(
      {
        pull: async (controller) => {
          clearTimeout(this.#idle);
          try {
            if (this.#isIdle) throw new MotifError('closed', 'the stream was not read, and its hold has expired');
            const part = await this.#next();
            if (part) {
              controller.enqueue(part);
              this.#expectRead();
            } else {
              this.#listener.onPaid();
              controller.close();
            }
          } catch (error) {
            await this.#end();
            throw error;
          }
        },
        cancel: () => this.#end(),
      },
      { highWaterMark: 0 },
    );
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    this.#listener.onEnd();
    await this.#events.cancel();
  }

  #expectRead(): void {
    const seconds = Math.max(1, this.#purchase.purchase.expires_at - now());
    const end = () => {
      this.#isIdle = true;
      void this.#end();
    };
    const idle: unknown = (this.#idle = setTimeout(end, seconds * 1_000));
    // A process does not wait for it.
    if (typeof idle === 'object' && idle !== null && 'unref' in idle) (idle as { unref(): void }).unref();
  }

  /** Reads the next event within the time limit of an attempt. */
  #event(): Promise<Uint8Array> {
    return this.#purchase
      .within(() => this.#events.next())
      .catch((error: unknown) => {
        if (error instanceof MotifError || this.#purchase.request.signal.aborted) throw error;
        throw new UnreachableError(this.#purchase.request.url, error);
      });
  }

  /** Pays for the next part and returns it; `undefined` after the last. */
  async #next(): Promise<Uint8Array | undefined> {
    const { core } = this.#purchase.payer;
    for (;;) {
      const bytes = this.#last ?? (await this.#event().catch((error: unknown) => this.#lost(error)));
      if (bytes === undefined) return this.#fetchAgain();
      const { ok: event, raw } = callWithForeign('an event', () => core.callWithRaw('stream.event', {}, bytes));
      switch (event.event) {
        case 'due':
          await this.#pay(event.due);
          break;
        case 'output': {
          const paid = this.#takePaid();
          core.call('purchase.part', { receipt: paid.receipt }, raw);
          this.#arrive(paid);
          return raw.slice();
        }
        case 'end':
        case 'failed':
          this.#last = bytes;
          if (this.#paid) return this.#fetchAgain();
          if (event.event === 'end') return this.#checkEnd(event.end);
          throw new RefusedError('refused', event.error.message, event.error.problem);
        case null:
          break; // a comment
      }
    }
  }

  async #pay(due: Parameters<PaywallPurchase['pay']>[0]): Promise<void> {
    if (this.#paid) throw new UntrustedError('a payment is due before the paid part has arrived');
    this.#paid = await this.#purchase.pay(due, this.#part);
    this.#purchase.add(this.#paid.receipt);
    const shown = await this.#purchase.show(this.#paid.voucher, this.#part);
    this.#purchase.checkShown(shown, this.#paid.receipt);
  }

  /** Continues after a lost connection if a paid part is outstanding. */
  #lost(error: unknown): undefined {
    if (!this.#paid || this.#purchase.request.signal.aborted) throw error;
    return undefined;
  }

  /** Fetches a paid part again, which was lost with the connection. */
  async #fetchAgain(): Promise<Uint8Array> {
    const paid = this.#takePaid();
    for (let attempt = 1; ; attempt++) {
      try {
        const answered = await this.#purchase.show(paid.voucher, this.#part);
        this.#purchase.checkAnswer(answered, paid.receipt);
        this.#arrive(paid);
        return answered.body;
      } catch (error) {
        if (!(error instanceof UnreachableError) || attempt >= PART_ATTEMPTS) throw error;
      }
    }
  }

  #arrive(paid: PartPayment): void {
    this.#part += 1;
    this.#units += paid.receipt.units;
  }

  /** Checks that all parts have arrived. */
  #checkEnd(end: StreamEnd): undefined {
    if (end.parts === this.#part && end.units === this.#units) return undefined;
    throw new UntrustedError("the stream's end names other parts");
  }

  #takePaid(): PartPayment {
    const paid = this.#paid;
    if (!paid) throw new UntrustedError('an unpaid part arrived');
    this.#paid = undefined;
    return paid;
  }
}
