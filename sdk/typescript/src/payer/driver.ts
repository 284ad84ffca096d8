import { fromBase64, fromHex } from '../bytes.js';
import { pause } from '../clock.js';
import { toError } from '../core/module-error.js';
import type { BatchRequestText, Effect } from '../core/types.js';
import { MotifError, messageOf } from '../errors.js';
import { emit, reportRetries, type EventListener } from '../events.js';
import type { GatewayClient } from '../gateway/client.js';
import { refusal } from '../gateway/http.js';
import type { Receipt } from '../wire.js';
import { Inbox, type Paid, type Payment } from './inbox.js';
import type { Journal } from './journal.js';
import type { Machine } from './machine.js';
import type { VoucherSigner } from './signer.js';
import type { TagBudget } from './tag-budget.js';

/** Course of a batch. */
interface Flight {
  /** Number of payments that were answered. */
  answered: number;
  /** Number of payments that had arrived when it was answered. */
  gathered: number;
  /** Milliseconds from sending the request to its answer. */
  roundTrip: number;
}

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;
/** Part of a round trip for which the next batch waits for the callers of the last one. */
const LINGER_PART = 8;
const LONGEST_LINGER = 10;
/** Maximum number of payments that are kept of callers who had stopped waiting. */
const MAX_RECOVERED = 1_000;

/** Parts that a driver connects. */
export interface DriverParts {
  readonly gateway: GatewayClient;
  readonly channel: string;
  readonly signer: VoucherSigner;
  readonly machine: Machine;
  readonly journal: Journal | undefined;
  readonly tagBudget: TagBudget | undefined;
  readonly onEvent: EventListener | undefined;
}

/**
 * Executes the effects of a payer's machine, one batch at a time. Payments gather while a request is under way.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #inbox = new Inbox();
  #driving: Promise<void> | undefined;
  readonly #recovered: Paid[] = [];
  #closed: MotifError | undefined;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  get machine(): Machine {
    return this.#parts.machine;
  }

  get gateway(): GatewayClient {
    return this.#parts.gateway;
  }

  /** Whether a batch is under way. */
  get isDriving(): boolean {
    return this.#driving !== undefined;
  }

  /** Pays with the next batch, and waits for the result. */
  async pay(payment: Payment): Promise<Paid> {
    this.#assertUsable();
    const paid = this.#inbox.add(payment);
    this.#start();
    return paid;
  }

  /** Repeats an unanswered batch, and sends what the machine has queued, until nothing is left. */
  async settleDoubts(): Promise<void> {
    this.#assertUsable();
    const settled = this.#inbox.addDoubtful();
    this.#start();
    return settled;
  }

  /** Returns and forgets the receipts whose callers had stopped waiting. */
  takeRecovered(): readonly Receipt[] {
    return this.#recovered.splice(0).flatMap(({ receipts }) => receipts);
  }

  /** Returns and forgets a payment for one request whose caller had stopped waiting. */
  takePayment(requestDigest: string): Paid | undefined {
    const isOf = ({ receipts }: Paid) => receipts.length === 1 && receipts[0]?.request_digest === requestDigest;
    const index = this.#recovered.findIndex(isOf);
    return index < 0 ? undefined : this.#recovered.splice(index, 1)[0];
  }

  /** Executes effects that only save, durably. */
  async saveAll(effects: readonly Effect[]): Promise<void> {
    for (const effect of effects) {
      if (effect.effect === 'save') await this.#save(effect.frame, effect.is_urgent);
    }
  }

  /** Replaces the state by a snapshot. */
  async rewriteState(): Promise<void> {
    await this.#parts.journal?.rewrite(() => this.machine.snapshot());
  }

  /** Refuses further payments, waits for those under way, and closes the state. */
  async close(): Promise<void> {
    this.#closed ??= new MotifError('closed', 'the payer is closed');
    await this.#driving;
    await this.#parts.journal?.close();
    this.machine.free();
  }

  #assertUsable(): void {
    const failure = this.#parts.journal?.failure ?? this.#closed;
    if (failure) throw failure;
  }

  #start(): void {
    this.#driving ??= this.#run().finally(() => {
      this.#driving = undefined;
      // What arrived after the last look.
      if (!this.#inbox.isEmpty) this.#start();
    });
  }

  async #run(): Promise<void> {
    // Payments that are made at once share the first batch.
    await Promise.resolve();
    do {
      try {
        for (let flight = await this.#step(); flight; flight = await this.#step()) {
          if (!this.machine.status().has_doubts) this.#inbox.endDoubts();
          await this.#linger(flight);
        }
        this.#inbox.endDoubts();
      } catch (error) {
        this.#failWaiting(error);
      }
      // A failure is kept, and refuses what follows.
      await this.#parts.journal?.flush().catch(() => undefined);
    } while (!this.#inbox.isEmpty);
  }

  /** Sends one batch; returns `undefined` if there is nothing to send. */
  async #step(): Promise<Flight | undefined> {
    const { journal } = this.#parts;
    if (journal?.failure) throw journal.failure;
    if (journal?.isLong) await this.rewriteState();
    for (const { ticket, generations, tag } of this.#inbox.take()) this.#enqueue(ticket, generations, tag);
    const unanswered = this.machine.resend();
    // Sent before, by a run that has ended.
    if (unanswered) this.machine.loseAnswer();
    const effects: readonly Effect[] = unanswered ? [{ effect: 'send', ...unanswered }] : this.machine.next();
    return effects.length === 0 ? undefined : this.#execute(effects);
  }

  /** Hands a payment to the machine. */
  #enqueue(ticket: number, generations: Payment['generations'], tag: string | undefined): void {
    try {
      this.#parts.tagBudget?.reserve(ticket, generations, tag);
      this.machine.pay(ticket, generations, tag);
    } catch (error) {
      this.#reject(ticket, error);
    }
  }

  async #execute(effects: readonly Effect[]): Promise<Flight> {
    const queue = [...effects];
    const flight: Flight = { answered: 0, gathered: 0, roundTrip: 0 };
    for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
      queue.unshift(...(await this.#perform(effect, flight)));
    }
    return flight;
  }

  /** Performs one effect; returns those that follow from it. */
  async #perform(effect: Effect, flight: Flight): Promise<readonly Effect[]> {
    switch (effect.effect) {
      case 'sign':
        return this.#sign(effect.message);
      case 'save':
        await this.#saveOrAbandon(effect.frame, effect.is_urgent);
        return [];
      case 'send': {
        const next = await this.#send(effect, flight);
        flight.gathered = this.#inbox.arrived;
        return next;
      }
      case 'paid':
        if (effect.ticket !== null) flight.answered += 1;
        if (effect.ticket === null || !this.#resolve(effect.ticket, effect)) this.#recover(effect);
        return [];
      case 'failed':
        flight.answered += 1;
        this.#reject(effect.ticket, toError(effect.error));
        return [];
      case 'compare':
        return this.#compare();
    }
  }

  /** Keeps a payment whose caller has stopped waiting, or was in another process. */
  #recover({ receipts, voucher }: Paid): void {
    this.#recovered.push({ receipts, voucher });
    this.#recovered.splice(0, this.#recovered.length - MAX_RECOVERED);
  }

  #resolve(ticket: number, paid: Paid): boolean {
    this.#parts.tagBudget?.release(ticket);
    return this.#inbox.resolve(ticket, paid);
  }

  #reject(ticket: number, error: unknown): void {
    this.#parts.tagBudget?.release(ticket);
    this.#inbox.reject(ticket, error);
  }

  async #sign(message: string): Promise<readonly Effect[]> {
    try {
      return this.machine.signed(await this.#parts.signer.sign(fromHex(message)));
    } catch (error) {
      const failed = new MotifError('signer-failed', `the voucher was not signed: ${messageOf(error)}`, {
        cause: error,
      });
      this.#refuse(this.machine.withdraw(), failed);
      return [];
    }
  }

  async #saveOrAbandon(frame: string, isUrgent: boolean): Promise<void> {
    try {
      await this.#save(frame, isUrgent);
    } catch (error) {
      // Nothing is sent that is not saved.
      this.#refuse(this.machine.abandon(), error);
      throw error;
    }
  }

  async #save(frame: string, isUrgent: boolean): Promise<void> {
    await this.#parts.journal?.append(fromBase64(frame), isUrgent);
  }

  async #compare(): Promise<readonly Effect[]> {
    try {
      return this.machine.compare(await this.gateway.channelState(this.#parts.channel));
    } catch {
      return []; // The next refusal is reported to the callers.
    }
  }

  /**
   * Sends a batch until it is answered, as long as the client's patience lasts.
   *
   * @throws The error of the last attempt: the outcome is unknown, and the callers are told so.
   */
  async #send(batch: BatchRequestText, flight: Flight): Promise<readonly Effect[]> {
    const deadline = Date.now() + this.gateway.patience;
    const onRetry = reportRetries(this.#parts.onEvent, this.gateway.url);
    for (let wait = FIRST_PAUSE; ; wait = Math.min(LONGEST_PAUSE, wait * 2)) {
      const begun = Date.now();
      const isLast = begun >= deadline;
      try {
        const { status, body } = await this.gateway.postBatch(this.#parts.channel, batch);
        if (isLast || !this.machine.isTransient(status, body)) {
          flight.roundTrip = Date.now() - begun;
          this.#report(batch, status, flight.roundTrip);
          return this.#answered(status, body);
        }
        onRetry(refusal(status, body), wait);
      } catch (error) {
        if (!(error instanceof MotifError) || error.type !== 'unreachable') throw error;
        this.machine.loseAnswer();
        if (isLast) {
          this.#refuse(this.machine.abandon(), error);
          emit(this.#parts.onEvent, { type: 'unanswered', message: error.message });
          throw error;
        }
        onRetry(error, wait);
      }
      await pause(wait);
    }
  }

  #report({ body }: BatchRequestText, status: number, milliseconds: number): void {
    const { onEvent } = this.#parts;
    if (!onEvent) return;
    const { generations } = JSON.parse(body) as { readonly generations: readonly unknown[] };
    emit(onEvent, { type: 'batch', status, generations: generations.length, milliseconds });
  }

  #answered(status: number, body: Uint8Array): readonly Effect[] {
    try {
      return this.machine.answered(status, body);
    } catch (error) {
      const effects = this.machine.giveUp();
      if (!this.machine.status().is_unanswered) return effects;
      for (const effect of effects) {
        if (effect.effect === 'failed') this.#reject(effect.ticket, toError(effect.error));
      }
      throw error;
    }
  }

  /** Waits for the callers of the last batch, who often pay again at once: all share one round trip then. */
  async #linger(flight: Flight): Promise<void> {
    const target = flight.gathered + flight.answered;
    await pause(0);
    const linger = Math.min(LONGEST_LINGER, flight.roundTrip / LINGER_PART);
    if (linger < 1 || this.#inbox.arrived >= target) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#inbox.onArrival = () => {};
        resolve();
      };
      const timer = setTimeout(end, linger);
      this.#inbox.onArrival = () => {
        if (this.#inbox.arrived >= target) end();
      };
    });
  }

  /** Tells all who wait that an earlier batch is unanswered. */
  #failWaiting(error: unknown): void {
    try {
      this.#refuse(this.machine.abandon(), error);
      for (const { ticket, generations, tag } of this.#inbox.take()) this.#enqueue(ticket, generations, tag);
      const isState = this.#parts.journal?.failure !== undefined;
      const unanswered = new MotifError('unanswered', 'an earlier payment is unanswered: resume it first');
      this.#refuse(this.machine.dropWaiting(), isState ? error : unanswered);
    } catch (fault) {
      this.#inbox.rejectAll(fault);
    }
    this.#inbox.endDoubts(error);
  }

  #refuse(tickets: readonly number[], error: unknown): void {
    for (const ticket of tickets) this.#reject(ticket, error);
  }
}
