/// <reference lib="esnext.disposable" preserve="true" />

import { randomHex } from '../bytes.js';
import { readerOf, type AccountReader } from '../chain.js';
import { now } from '../clock.js';
import { callWithForeign } from '../core/module-error.js';
import type { ModuleSource } from '../core/module-source.js';
import { PayerCore } from '../core/payer-core.js';
import type { License, Purchase } from '../core/types.js';
import { MotifError, RefusedError, StateError, UnreachableError, UntrustedError } from '../errors.js';
import type { EventListener } from '../events.js';
import { GatewayClient, type GatewayOptions } from '../gateway/client.js';
import { assertInteger, assertObject, assertText, checkAddress, checkDigest, invalidInput } from '../input.js';
import type { BatchedGeneration, Receipt, Voucher } from '../wire.js';
import { readChannel, type ChannelOnChain } from './channel-account.js';
import { Driver } from './driver.js';
import type { Paid } from './inbox.js';
import { Journal } from './journal.js';
import { Machine } from './machine.js';
import { assertPolicy, toPolicyJson, type PayerPolicy } from './policy.js';
import { ProofSigner } from './proofs.js';
import type { VoucherSigner } from './signer.js';
import type { StateStore } from './state-store.js';
import { TagBudget } from './tag-budget.js';

/** Settings of a {@link Payer}. */
export interface PayerOptions extends PayerPolicy {
  /** Gateway of the channel's operator: its URL or a client. */
  readonly gateway: string | GatewayClient;
  /** Settings of the gateway's client, if `gateway` is a URL. */
  readonly gatewayOptions?: GatewayOptions;
  /** Cluster: the URL of a node's JSON-RPC interface, or a reader of accounts. */
  readonly rpc: string | AccountReader;
  /** Address of the channel. */
  readonly channel: string;
  /** Signs with the channel's voucher key. */
  readonly signer: VoucherSigner;
  /** Where the payer's state is kept: `fileState(path)` or `indexedDbState(name)`. Default: it ends with the payer. */
  readonly state?: StateStore;
  /** Module of rules. Default: the file in this package. */
  readonly module?: ModuleSource;
  /** Receives what happens inside, for logs and metrics. */
  readonly onEvent?: EventListener;
}

/** One generation to pay for. */
export interface Generation {
  /** Index of the license on the channel. */
  readonly license: number;
  readonly units: number;
  /** SHA-256 of the request, hexadecimal, as the platform states it. */
  readonly requestDigest: string;
  /** SHA-256 of the output, hexadecimal, as the platform states it. */
  readonly outputDigest: string;
}

/** Settings of one payment. */
export interface PaymentOptions {
  /** Kept with the receipts; may have a budget of its own. */
  readonly tag?: string;
  /** Ends the wait. A payment that is under way is made all the same, and its receipt kept. */
  readonly signal?: AbortSignal;
}

/** Held funds for a generation whose units are not known yet. It can be kept as JSON. */
export interface HeldFunds {
  /** Name of the hold. */
  readonly name: string;
  readonly purchase: Purchase;
}

/** Held funds that `await using` releases at the end of its block, unless they were captured. */
export interface Hold extends HeldFunds, AsyncDisposable {}

/** Receipt in the payer's state. */
export interface PayerReceipt {
  /** Number, ascending from 1. */
  readonly number: number;
  readonly tag: string | undefined;
  /** Amount charged, base units, fees included. */
  readonly charged: bigint;
  readonly receipt: Receipt;
}

const DAY_SECONDS = 86_400;
const MAX_UNITS = 2 ** 32 - 1;
const MAX_LICENSE = 2 ** 16 - 1;

/**
 * Payer side of a channel, for any number of concurrent callers.
 *
 * While one request is under way, payments gather; they leave together with one voucher. A payment that is refused fails
 * alone. The payer keeps its own totals, starts from the channel on chain, and accepts from the gateway only receipts that
 * it verifies and statements that its key has signed.
 *
 * With a state it continues after the end of its process: what was signed is stored before it is sent. A batch without an
 * answer is repeated with the same key and bytes before anything else is signed, and so is never paid twice.
 */
export class Payer {
  readonly channel: string;
  /** Rules that the payer runs on. */
  readonly core: PayerCore;
  readonly gateway: GatewayClient;
  readonly #driver: Driver;
  readonly #machine: Machine;
  readonly #proofs: ProofSigner;
  readonly #chain: AccountReader;
  readonly #tagBudget: TagBudget | undefined;
  /** Holds that were captured or released. */
  readonly #ended = new WeakSet<HeldFunds>();
  /** @internal Receives what happens inside. */
  readonly onEvent: EventListener | undefined;

  private constructor(parts: {
    core: PayerCore;
    chain: AccountReader;
    channel: string;
    driver: Driver;
    machine: Machine;
    proofs: ProofSigner;
    tagBudget: TagBudget | undefined;
    onEvent: EventListener | undefined;
  }) {
    this.core = parts.core;
    this.channel = parts.channel;
    this.gateway = parts.driver.gateway;
    this.#driver = parts.driver;
    this.#machine = parts.machine;
    this.#proofs = parts.proofs;
    this.#chain = parts.chain;
    this.#tagBudget = parts.tagBudget;
    this.onEvent = parts.onEvent;
  }

  /**
   * Opens the payer of a channel.
   *
   * Reads channel and operator from the chain, and unsettled statements from the gateway: they are resumed if the voucher
   * key signed them. What the gateway has lost is offered to it again, if the state has it.
   *
   * @throws MotifError `invalid-input` if a setting is missing or malformed, or the channel has another voucher key,
   * `state-locked` if another process has the state, `state-invalid` if it is damaged or another file, `untrusted` if the gateway states what the key did
   * not sign, `account-not-found`, and those of {@link GatewayClient}.
   */
  static async open(options: PayerOptions): Promise<Payer> {
    assertOptions(options);
    const { channel, signer, onEvent } = options;
    const chain = readerOf(options.rpc, onEvent);
    const client = clientOf(options);
    const core = await PayerCore.load(options.module);
    const read = await readChannel(core, chain, channel);
    if (read.voucherKey !== signer.address) {
      throw invalidInput(`channel ${channel} has the voucher key ${read.voucherKey}: the signer has ${signer.address}`);
    }
    const state = await options.state?.open();
    try {
      const journal = state && new Journal(state);
      const machine = await start(core, options, read, journal);
      const proofs = new ProofSigner(machine, signer);
      const gateway = client.withReader(() => proofs.readerHeader());
      const { tagBudgetPerDay, tagBudgetsPerDay = {} } = options;
      const tagged = Object.keys(tagBudgetsPerDay);
      const tagBudget = tagBudgetPerDay === undefined ? undefined : new TagBudget(machine, tagBudgetPerDay, tagged);
      const driver = new Driver({ gateway, channel, signer, machine, journal, tagBudget, onEvent });
      const payer = new Payer({ core, chain, channel, driver, machine, proofs, tagBudget, onEvent });
      await payer.#join();
      return payer;
    } catch (error) {
      await state?.close().catch(() => undefined);
      throw error;
    }
  }

  /** Compares this payer with the gateway, and settles what is in doubt. */
  async #join(): Promise<void> {
    this.#machine.compare(await this.gateway.openChannel(this.channel));
    await this.#driver.rewriteState();
    const { is_unanswered, waiting } = this.#machine.status();
    if (!is_unanswered && waiting === 0) return;
    await this.#driver.settleDoubts();
    this.#machine.compare(await this.gateway.channelState(this.channel));
    await this.#driver.rewriteState();
  }

  /**
   * Pays for one generation; returns the verified receipt: signed by the operator, for this request and output, at the
   * license's price.
   *
   * @throws MotifError: `over-budget`, `price-too-high`, `license-not-found`, `license-refuses`, `signer-failed`: nothing
   * was sent. `refused`: not charged. `unreachable`, `untrusted`, `outcome-unknown`, `state-failed`: the outcome is
   * unknown, and the next payment or {@link resume} repeats the request first, which does not pay twice. `unanswered`: an
   * earlier payment is in doubt, and nothing was signed. {@link MotifError.isDefinite} tells the two apart.
   */
  async generate(generation: Generation, options: PaymentOptions = {}): Promise<Receipt> {
    const { receipts } = await this.#pay([toBatched(generation)], options);
    return sole(receipts);
  }

  /**
   * Pays for several generations with one voucher, all or none; returns their receipts in order. A blended generation is
   * several with the same request and output under several licenses.
   *
   * @throws As {@link generate}.
   */
  async generateAll(generations: readonly Generation[], options: PaymentOptions = {}): Promise<readonly Receipt[]> {
    if (!Array.isArray(generations) || generations.length === 0) {
      throw invalidInput('invalid generations: expected at least one');
    }
    const paid = await this.#pay(generations.map(toBatched), options);
    return paid.receipts;
  }

  /**
   * Holds funds for a generation of at most `units`. Nothing is paid. The budgets have to cover all units now, and count
   * only captures.
   *
   * @param seconds Time in which the hold can be captured.
   * @param tag Tag whose budget has to cover the units.
   * @throws As {@link generate}. No voucher is signed.
   */
  async hold(use: {
    license: number;
    units: number;
    requestDigest: string;
    seconds: number;
    tag?: string;
  }): Promise<Hold> {
    assertObject('use', use);
    checkDigest('requestDigest', use.requestDigest);
    assertInteger('seconds', use.seconds, 1, MAX_UNITS);
    this.check(use.license, use.units, use.tag);
    const purchase: Purchase = {
      license: use.license,
      units: { at_most: use.units },
      key: randomHex(16),
      request_digest: use.requestDigest,
      expires_at: now() + use.seconds,
    };
    const proof = await this.#proofs.sign({ hold: purchase });
    const { license, request_digest, expires_at, key } = purchase;
    const request = { license, units: use.units, request_digest, expires_at, proof };
    const facts = await this.gateway.hold(this.channel, key, request);
    const check = () => this.core.call('hold.check', { ...this.#machine.of(purchase), facts });
    const { hold: name } = callWithForeign('the hold', check);
    const hold = { name, purchase };
    const dispose = async () => {
      if (!this.#ended.has(hold as Hold)) await this.release(hold as Hold);
    };
    return Object.defineProperty(hold, Symbol.asyncDispose, { value: dispose }) as Hold;
  }

  /**
   * Pays for the units that a held generation used.
   *
   * @throws As {@link generate}.
   */
  async capture(
    hold: HeldFunds,
    used: { units: number; outputDigest: string },
    options: PaymentOptions = {},
  ): Promise<Receipt> {
    assertHeld(hold);
    assertObject('used', used);
    const { license, request_digest, units } = hold.purchase;
    assertInteger('units', used.units, 1, 'at_most' in units ? units.at_most : units.exactly);
    const output_digest = checkDigest('outputDigest', used.outputDigest);
    const captures = { hold: hold.name };
    try {
      const paid = await this.#pay([{ license, units: used.units, request_digest, output_digest, captures }], options);
      this.#ended.add(hold);
      return sole(paid.receipts);
    } catch (error) {
      // What may be captured is not released.
      if (!(error instanceof MotifError && error.isDefinite)) this.#ended.add(hold);
      throw error;
    }
  }

  /** Releases a hold without payment. Repeating is safe. */
  async release(hold: HeldFunds): Promise<void> {
    assertHeld(hold);
    await this.gateway.release(hold.name, this.channel, await this.#proofs.sign({ release: hold.name }));
    this.#ended.add(hold);
  }

  /** Asks the gateway to settle the channel now. */
  async settle(): Promise<void> {
    await this.gateway.settle(this.channel, await this.#proofs.sign('settle'));
  }

  /** Asks the gateway to settle and close the channel, whose payer has requested the closing on chain. */
  async closeChannel(): Promise<void> {
    await this.gateway.close(this.channel, await this.#proofs.sign('close'));
  }

  /**
   * Repeats an unanswered batch; returns the receipts of payments whose callers had stopped waiting, once, and at most the
   * newest 1,000.
   *
   * @throws As {@link generate}.
   */
  async resume(): Promise<readonly Receipt[]> {
    if (this.#machine.status().is_unanswered || this.#driver.isDriving) await this.#driver.settleDoubts();
    return this.#driver.takeRecovered();
  }

  /** Adds licenses and deposits that are new on chain, and drops what has settled. */
  async refresh(): Promise<void> {
    this.#machine.refresh((await readChannel(this.core, this.#chain, this.channel)).data);
    await this.gateway.openChannel(this.channel);
  }

  /** @throws MotifError if policy, budgets or the license do not allow the units now. Nothing is signed. */
  check(license: number, units: number, tag?: string): void {
    assertUse(license, units);
    assertTag(tag);
    this.#tagBudget?.check([{ license, units }], tag);
    this.#machine.check(license, units, tag);
  }

  /** Whether the outcome of a batch is unknown, and no attempt to learn it is under way. */
  get isUnanswered(): boolean {
    return this.#machine.status().is_unanswered && !this.#driver.isDriving;
  }

  /** Spending since the payer was opened, or since its state was created, base units, fees included. */
  get spent(): bigint {
    return BigInt(this.#machine.status().spent);
  }

  /** Part of the deposit that is neither owed nor signed, base units. */
  get available(): bigint {
    return BigInt(this.#machine.status().available);
  }

  /** Total of the newest receipt: prices and fees since the channel opened, base units. */
  get cumulative(): bigint {
    return BigInt(this.#machine.status().cumulative);
  }

  /** Operator's fee on top of prices, basis points. */
  get operatorFeeBps(): number {
    return this.#machine.status().operator_fee_bps;
  }

  /** Number of the open statement. */
  get statement(): number {
    return this.#machine.status().statement;
  }

  /** Returns the spending of a UTC day, base units, fees included; of all tags without `tag`. */
  spentOn(day: Date, tag?: string): bigint {
    return BigInt(this.#machine.spentOn(Math.floor(day.getTime() / 1_000 / DAY_SECONDS), tag).spent);
  }

  /** @throws MotifError `license-not-found`. */
  license(index: number): License {
    assertInteger('license', index, 0, MAX_LICENSE);
    return this.#machine.license(index);
  }

  /** Returns the receipts in the state that were not exported, oldest first; none without a state. */
  receipts(): readonly PayerReceipt[] {
    return this.#machine.receipts().map(({ number, tag, charged, receipt }) => {
      return { number, tag, charged: BigInt(charged), receipt };
    });
  }

  /** Forgets exported receipts up to this number, durably. */
  async forgetReceipts(through: number): Promise<void> {
    assertInteger('through', through, 0, Number.MAX_SAFE_INTEGER);
    await this.#driver.saveAll(this.#machine.forgetReceipts(through));
  }

  /** Waits for payments under way, and closes the state. Later payments are refused. */
  async close(): Promise<void> {
    await this.#driver.close();
  }

  /** Closes the payer at the end of a block that declares it by `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @internal Repeats an unanswered batch. Receipts without a caller stay for {@link resume}.
   *
   * @param all Whether a batch that is under way is waited for, too.
   */
  async settleDoubts(all = false): Promise<void> {
    if (this.isUnanswered || (all && this.#driver.isDriving)) await this.#driver.settleDoubts();
  }

  /** @internal Pays for what a paywall has made. */
  async payDue(
    generation: BatchedGeneration,
    options: PaymentOptions,
  ): Promise<{ receipt: Receipt; voucher: Voucher }> {
    const { receipts, voucher } = await this.#pay([generation], options);
    return { receipt: sole(receipts), voucher };
  }

  #pay(generations: readonly BatchedGeneration[], options: PaymentOptions): Promise<Paid> {
    assertObject('options', options);
    assertTag(options.tag);
    return this.#driver.pay({ ...options, generations });
  }

  /** @internal Returns the value of `motif-payment` that requests an answer. */
  async ask(purchase: Purchase): Promise<string> {
    const proof = await this.#proofs.sign({ hold: purchase });
    return this.core.call('purchase.ask', { ...this.#machine.of(purchase), proof }).header;
  }

  /** @internal Returns the payment for a purchase whose caller had stopped waiting. */
  takePayment(purchase: Purchase): { receipt: Receipt; voucher: Voucher } | undefined {
    const paid = this.#driver.takePayment(purchase.request_digest);
    return paid && { receipt: sole(paid.receipts), voucher: paid.voucher };
  }

  /** @internal Releases the hold of a purchase that was not paid for, if it has one. */
  async releasePurchase(purchase: Purchase): Promise<void> {
    const { answer } = this.core.call('purchase.names', { ...this.#machine.of(purchase), part: 0 });
    try {
      await this.gateway.release(answer, this.channel, await this.#proofs.sign({ release: answer }));
    } catch (error) {
      // Without it, a hold ends by itself.
      if (!(error instanceof RefusedError || error instanceof UnreachableError)) throw error;
    }
  }

  /** @internal Handle of the machine in the module of rules. */
  get handle(): { readonly payer: number } {
    return this.#machine.handle;
  }
}

/** Restores the machine from the payer's state, or creates it. */
async function start(
  core: PayerCore,
  options: PayerOptions,
  read: ChannelOnChain,
  journal?: Journal,
): Promise<Machine> {
  const { channel } = options;
  const { data: account, receiptKeys } = read;
  const machineOptions = { channel, account, receiptKeys, policy: toPolicyJson(options) };
  const saved = await journal?.read();
  const restored = saved && Machine.load(core, machineOptions, saved);
  if (!restored && saved && saved.length > 0) {
    throw new StateError('state-invalid', "the payer's state has no whole record: it is damaged, or another file");
  }
  return restored ?? Machine.create(core, machineOptions, journal !== undefined);
}

function clientOf({ gateway, gatewayOptions, onEvent }: PayerOptions): GatewayClient {
  if (gateway instanceof GatewayClient) return gateway;
  return new GatewayClient(gateway, { ...(onEvent && { onEvent }), ...gatewayOptions });
}

function assertOptions(options: PayerOptions): void {
  assertObject('options of the payer', options);
  checkAddress('channel', options.channel);
  const { signer, state } = options;
  if (typeof signer?.sign !== 'function')
    throw invalidInput('invalid signer: expected one such as `keypairSigner` returns');
  checkAddress('address of the signer', signer.address);
  if (state !== undefined && typeof state?.open !== 'function') {
    throw invalidInput('invalid state: expected one such as `fileState` returns');
  }
  assertPolicy(options);
}

function assertUse(license: number, units: number): void {
  assertInteger('license', license, 0, MAX_LICENSE);
  assertInteger('units', units, 1, MAX_UNITS);
}

function assertTag(tag: string | undefined): void {
  if (tag !== undefined) assertText('tag', tag);
}

function assertHeld(hold: HeldFunds): void {
  assertObject('hold', hold);
  checkDigest('name of the hold', hold.name);
  assertObject('purchase of the hold', hold.purchase);
}

function toBatched(generation: Generation): BatchedGeneration {
  assertObject('generation', generation);
  const { license, units } = generation;
  assertUse(license, units);
  const request_digest = checkDigest('requestDigest', generation.requestDigest);
  return { license, units, request_digest, output_digest: checkDigest('outputDigest', generation.outputDigest) };
}

function sole(receipts: readonly Receipt[]): Receipt {
  const [receipt] = receipts;
  if (!receipt) throw new UntrustedError('a payment has no receipt');
  return receipt;
}
