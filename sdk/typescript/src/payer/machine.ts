import { toBase64, toHex } from '../bytes.js';
import { now } from '../clock.js';
import type { PayerCore } from '../core/payer-core.js';
import { callWithForeign } from '../core/module-error.js';
import type { Calls } from '../core/calls.js';
import type { RawJson } from '../core/raw-json.js';
import type {
  BatchRequestText,
  Charge,
  Effect,
  KeptReceipt,
  License,
  PayerAction,
  PayerStatus,
  PolicyJson,
  Purchase,
  ReceiptKey,
} from '../core/types.js';
import { MotifError } from '../errors.js';
import type { BatchedGeneration, PayerProof } from '../wire.js';

/** Channel as read from the chain, and what the payer's key may sign for it. */
export interface MachineOptions {
  readonly channel: string;
  /** Data of the channel's account. */
  readonly account: Uint8Array;
  readonly receiptKeys: readonly ReceiptKey[];
  readonly policy: PolicyJson;
}

/**
 * State machine of one channel's payer, in the module of rules: what to sign, what to send, what an answer proves.
 *
 * Each method is an event and returns the effects that its caller executes.
 */
export class Machine {
  readonly #core: PayerCore;
  readonly #handle: number;
  /** Summary of a machine that has been freed. */
  #last: PayerStatus | undefined;

  private constructor(core: PayerCore, payer: number) {
    this.#core = core;
    this.#handle = payer;
  }

  /** @throws MotifError `closed` once the machine has been freed. */
  get #payer(): number {
    if (this.#last) throw new MotifError('closed', 'the payer is closed');
    return this.#handle;
  }

  /** Creates a machine whose frames are stored if `isKept`. */
  static create(core: PayerCore, options: MachineOptions, isKept: boolean): Machine {
    return new Machine(core, core.call('payer.new', { ...inputOf(options), is_kept: isKept }).payer);
  }

  /** Restores a machine from its state; returns `undefined` if the state has no whole record. */
  static load(core: PayerCore, options: MachineOptions, state: Uint8Array): Machine | undefined {
    const { payer } = core.call('payer.load', inputOf(options), state);
    return payer === null ? undefined : new Machine(core, payer);
  }

  pay(ticket: number, generations: readonly BatchedGeneration[], tag?: string): void {
    const payment = { payer: this.#payer, ticket, generations };
    this.#core.call('payer.pay', tag === undefined ? payment : { ...payment, tag });
  }

  /** @throws MotifError if policy or license do not allow the units now. */
  check(license: number, units: number, tag?: string): void {
    const use = { payer: this.#payer, license, units, now: now() };
    this.#core.call('payer.check', tag === undefined ? use : { ...use, tag });
  }

  next(): readonly Effect[] {
    return this.#core.call('payer.next', { payer: this.#payer, now: now() }).effects;
  }

  signed(signature: Uint8Array): readonly Effect[] {
    return this.#core.call('payer.signed', { payer: this.#payer, signature: toHex(signature) }).effects;
  }

  withdraw(): readonly number[] {
    return this.#core.call('payer.withdraw', { payer: this.#payer }).tickets;
  }

  dropWaiting(): readonly number[] {
    return this.#core.call('payer.drop_waiting', { payer: this.#payer }).tickets;
  }

  resend(): BatchRequestText | null {
    return this.#core.call('payer.resend', { payer: this.#payer }).request;
  }

  loseAnswer(): void {
    this.#core.call('payer.lose_answer', { payer: this.#payer });
  }

  abandon(): readonly number[] {
    return this.#core.call('payer.abandon', { payer: this.#payer }).tickets;
  }

  /** @throws MotifError: the batch stays unanswered. */
  answered(status: number, body: Uint8Array): readonly Effect[] {
    return this.#core.call('payer.answered', { payer: this.#payer, status, now: now() }, body).effects;
  }

  giveUp(): readonly Effect[] {
    return this.#core.call('payer.give_up', { payer: this.#payer }).effects;
  }

  /** Whether the same request may soon be accepted. */
  isTransient(status: number, body: Uint8Array): boolean {
    return this.#core.call('payer.is_transient', { status }, body).is_transient;
  }

  refresh(account: Uint8Array): void {
    this.#core.call('payer.refresh', { payer: this.#payer, account: toBase64(account) });
  }

  compare(state: RawJson): readonly Effect[] {
    const compare = () => this.#core.call('payer.compare', { payer: this.#payer, state }).effects;
    return callWithForeign("the gateway's state", compare);
  }

  receipts(): readonly KeptReceipt[] {
    return this.#core.call('payer.receipts', { payer: this.#payer }).receipts;
  }

  forgetReceipts(through: number): readonly Effect[] {
    return this.#core.call('payer.forget_receipts', { payer: this.#payer, through }).effects;
  }

  snapshot(): Uint8Array {
    return this.#core.callWithRaw('payer.snapshot', { payer: this.#payer }).raw;
  }

  status(): PayerStatus {
    return this.#last ?? this.#core.call('payer.status', { payer: this.#payer });
  }

  /** Gives the machine's memory back. Only its status is known afterwards. */
  free(): void {
    if (this.#last) return;
    const last = this.status();
    this.#core.call('payer.free', { payer: this.#payer });
    this.#last = last;
  }

  license(license: number): License {
    return this.#core.call('payer.license', { payer: this.#payer, license }).license;
  }

  /** Returns the price of units, and the operator's fee on it. */
  quote(input: Calls['price.quote']['input']): Charge {
    return this.#core.call('price.quote', input);
  }

  spentOn(day: number, tag?: string): { readonly spent: string; readonly committed: string } {
    const of = { payer: this.#payer, day };
    return this.#core.call('payer.spent_on', tag === undefined ? of : { ...of, tag });
  }

  /** Returns the bytes of a payer's request, to be signed. */
  request(action: PayerAction, issuedAt: number): string {
    return this.#core.call('payer.request', { payer: this.#payer, action, issued_at: issuedAt }).message;
  }

  readerHeader(expiresAt: number, proof: PayerProof): string {
    return this.#core.call('payer.reader_header', { payer: this.#payer, expires_at: expiresAt, proof }).header;
  }

  /** Returns a purchase's fields for the calls of a paywall. */
  of(purchase: Purchase): { readonly payer: number; readonly purchase: Purchase } {
    return { payer: this.#payer, purchase };
  }

  /** Handle in the module. */
  get handle(): { readonly payer: number } {
    return { payer: this.#payer };
  }
}

function inputOf({ channel, account, receiptKeys, policy }: MachineOptions) {
  return { channel, account: toBase64(account), receipt_keys: receiptKeys, policy };
}
