import { MotifError } from '../errors.js';
import type { Payer } from '../payer/payer.js';

/** Default of a gateway's limit. */
const FIRST_PLACES = 8;
/** Number of paid answers after which another place is tried, once a request was refused. */
const PAID_BEFORE_TRIAL = 64;

/**
 * Places of a channel's requests at paywalls, which limit its unpaid answers. The limit is not announced: each refusal
 * takes one place away, and paid answers add places again.
 */
export class Places {
  #count = FIRST_PLACES;
  #taken = 0;
  #paid = 0;
  #isLimited = false;
  readonly #waiting: (() => void)[] = [];

  /** Returns the places of a payer's channel. */
  static of(payer: Payer): Places {
    const known = places.get(payer) ?? new Places();
    places.set(payer, known);
    return known;
  }

  /**
   * Waits for a place, first come, first served. Each taken place is released once.
   *
   * @param timeout Milliseconds.
   * @throws MotifError `too-many-requests` after `timeout`; the reason of the signal.
   */
  take(timeout: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#taken < this.#count) {
      this.#taken += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        const index = this.#waiting.indexOf(next);
        if (index >= 0) this.#waiting.splice(index, 1);
      };
      const next = () => {
        stop();
        this.#taken += 1;
        resolve();
      };
      const abort = () => (stop(), reject(signal.reason));
      const late = () => {
        stop();
        reject(new MotifError('too-many-requests', 'too many requests of this channel are under way: repeat it later'));
      };
      const timer = setTimeout(late, timeout);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(next);
    });
  }

  release(): void {
    this.#taken -= 1;
    this.#admit();
  }

  /** Notes that an answer was paid for. */
  notePaid(): void {
    if (this.#taken < this.#count) return;
    this.#paid += 1;
    if (this.#paid < (this.#isLimited ? PAID_BEFORE_TRIAL : 1)) return;
    [this.#count, this.#paid] = [this.#count + 1, 0];
    this.#admit();
  }

  /** Notes that a request was refused for want of a place. */
  noteRefused(): void {
    [this.#isLimited, this.#paid] = [true, 0];
    this.#count = Math.max(1, this.#count - 1);
  }

  #admit(): void {
    while (this.#taken < this.#count && this.#waiting.length > 0) this.#waiting.shift()?.();
  }
}

const places = new WeakMap<Payer, Places>();
