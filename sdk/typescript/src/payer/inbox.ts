import type { BatchedGeneration, Receipt, Voucher } from '../wire.js';

/** Receipts of a payment, and the voucher that paid. */
export interface Paid {
  readonly receipts: readonly Receipt[];
  readonly voucher: Voucher;
}

/** Generations to pay for together or not at all. */
export interface Payment {
  readonly generations: readonly BatchedGeneration[];
  readonly tag?: string | undefined;
  /** Ends the wait of the caller. A payment that has been handed over is made all the same. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly resolve: (paid: Paid) => void;
  readonly reject: (error: unknown) => void;
}

/** Payments that have not been handed to the machine, and the callers that wait for payments and doubts. */
export class Inbox {
  #nextTicket = 1;
  #arrived: (Payment & { readonly ticket: number })[] = [];
  readonly #waiters = new Map<number, Waiter>();
  #doubtful: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  /** Called when a payment arrives. */
  onArrival: () => void = () => {};

  /** Adds a payment and waits for its result. */
  add(payment: Payment): Promise<Paid> {
    const { signal } = payment;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const ticket = this.#nextTicket++;
      const abort = () => this.reject(ticket, signal?.reason);
      const done = () => signal?.removeEventListener('abort', abort);
      this.#waiters.set(ticket, {
        resolve: (paid) => (done(), resolve(paid)),
        reject: (error) => (done(), reject(error)),
      });
      signal?.addEventListener('abort', abort, { once: true });
      this.#arrived.push({ ...payment, ticket });
      this.onArrival();
    });
  }

  /** Waits until no batch is unanswered. */
  addDoubtful(): Promise<void> {
    return new Promise((resolve, reject) => this.#doubtful.push({ resolve, reject }));
  }

  get isEmpty(): boolean {
    return this.#arrived.length === 0 && this.#doubtful.length === 0;
  }

  /** Number of payments that have arrived. */
  get arrived(): number {
    return this.#arrived.length;
  }

  /** Takes the payments that have arrived and whose callers still wait. */
  take(): readonly (Payment & { readonly ticket: number })[] {
    const arrived = this.#arrived.filter(({ ticket }) => this.#waiters.has(ticket));
    this.#arrived = [];
    return arrived;
  }

  /** Hands receipts to the caller of a payment; returns whether it still waits. */
  resolve(ticket: number, paid: Paid): boolean {
    const waiter = this.#remove(ticket);
    waiter?.resolve(paid);
    return waiter !== undefined;
  }

  reject(ticket: number, error: unknown): void {
    this.#remove(ticket)?.reject(error);
  }

  /** Tells all callers that wait for payments. */
  rejectAll(error: unknown): void {
    this.#arrived = [];
    for (const ticket of [...this.#waiters.keys()]) this.reject(ticket, error);
  }

  /** Tells the callers that wait for doubts. */
  endDoubts(error?: unknown): void {
    const waiting = this.#doubtful;
    this.#doubtful = [];
    for (const { resolve, reject } of waiting) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  #remove(ticket: number): Waiter | undefined {
    const waiter = this.#waiters.get(ticket);
    this.#waiters.delete(ticket);
    return waiter;
  }
}
