import {
  appendTransactionMessageInstructions,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type Blockhash,
  type TransactionSigner,
} from '@solana/kit';

import { toBase64 } from '../bytes.js';
import { COMMITMENT, RpcReader, type ChainAccount } from '../chain.js';
import { pause } from '../clock.js';
import type { AccountJson } from '../core/accounts.js';
import type { CallName, Calls } from '../core/calls.js';
import { Core } from '../core/core.js';
import { MotifError, UnreachableError, UntrustedError } from '../errors.js';
import { isRecord } from '../gateway/http.js';
import { assertAmount, assertInteger, assertObject, checkAddress, invalidInput } from '../input.js';
import type { AddressText, Use } from '../wire.js';
import { toKitInstructions } from './kit-instructions.js';

type InstructionName = Extract<CallName, `instruction.${string}`>;
type Kind = AccountJson['kind'];

/** Settings of a {@link ChannelClient}. */
export interface ChannelClientOptions {
  /** Cluster: the URL of a node's JSON-RPC interface, or its reader. */
  readonly rpc: string | RpcReader;
  /** Signs the transactions and pays for them: a key pair, or a wallet of `createWalletSigner`. */
  readonly signer: TransactionSigner;
  /** Rules. Default: loaded from this package. */
  readonly core?: Core;
}

/** A new channel. */
export interface ChannelRequest {
  /** Operator that meters: `operator` of `GatewayClient.operator`. */
  readonly operator: AddressText;
  /** Mint of the currency: `currency` of `GatewayClient.quote`. */
  readonly currency: AddressText;
  /** Amount to deposit, base units. */
  readonly deposit: bigint;
  /** Address of the key that signs vouchers: another one than the signer's. */
  readonly voucherKey: AddressText;
  /** Operator's fee on top of prices, basis points. Default: what the operator asks for. */
  readonly operatorFeeBps?: number;
  /** Time in which the operator can settle after a close without it. Default: an hour, or what the operator asks for. */
  readonly graceSeconds?: number;
  /** Tells apart the channels of a payer with one operator. Default: the lowest free one. */
  readonly salt?: bigint;
}

/** Limits of an acceptance. */
export interface AcceptanceRequest {
  /** Default: `generate`. */
  readonly use?: Use;
  /** Maximum price of a unit, base units, without the operator's fee. */
  readonly maxPrice: bigint;
}

const MIN_GRACE_SECONDS = 3_600;
const CONFIRM_TIMEOUT = 45_000;
const CONFIRM_PAUSE = 200;

/** Opens channels and accepts terms: what a platform does on chain before it pays. */
export class ChannelClient {
  readonly #core: Core;
  readonly #rpc: RpcReader;
  readonly #signer: TransactionSigner;

  private constructor(core: Core, rpc: RpcReader, signer: TransactionSigner) {
    this.#core = core;
    this.#rpc = rpc;
    this.#signer = signer;
  }

  /** @throws MotifError `invalid-input`. */
  static async open({ rpc, signer, core }: ChannelClientOptions): Promise<ChannelClient> {
    assertObject('signer', signer);
    checkAddress('address of the signer', signer.address);
    const reader = rpc instanceof RpcReader ? rpc : new RpcReader(rpc);
    return new ChannelClient(core ?? (await Core.load()), reader, signer);
  }

  /**
   * Opens a channel and deposits into it; returns its address.
   *
   * @throws MotifError `transaction-failed` if the programs refuse, `account-not-found`, `rpc-failed`, `unreachable`.
   */
  async openChannel(request: ChannelRequest): Promise<AddressText> {
    assertObject('request', request);
    const { operator, currency: mint, deposit, voucherKey, operatorFeeBps, graceSeconds } = request;
    for (const [name, address] of Object.entries({ operator, currency: mint, voucherKey })) checkAddress(name, address);
    assertAmount('deposit', deposit);
    if (operatorFeeBps !== undefined) assertInteger('operatorFeeBps', operatorFeeBps, 0, 10_000);
    if (graceSeconds !== undefined) assertInteger('graceSeconds', graceSeconds, 1, 2 ** 32 - 1);
    if (voucherKey === this.#signer.address)
      throw invalidInput('the voucher key is that of the signer: expected another');
    const { address } = this.#core.call('address.operator', { authority: operator });
    const { operator: asked } = await this.#decoded(address, 'operator');
    const parties = { payer: this.#signer.address, operator, mint };
    const salt = String(request.salt ?? (await this.#freeSalt(parties)));
    await this.#send('instruction.open_channel', {
      ...parties,
      salt,
      token_program: await this.#tokenProgram(mint),
      voucher_key: voucherKey,
      operator_fee_bps: operatorFeeBps ?? asked.fee_bps,
      grace_seconds: graceSeconds ?? Math.max(MIN_GRACE_SECONDS, asked.min_grace_seconds),
      deposit: String(deposit),
    });
    return this.#core.call('address.channel', { ...parties, salt }).address;
  }

  /**
   * Accepts the latest terms of a work; returns the index of the license on the channel.
   *
   * @throws As {@link openChannel}.
   */
  async accept(channel: AddressText, work: AddressText, request: AcceptanceRequest): Promise<number> {
    checkAddress('channel', channel);
    checkAddress('work', work);
    assertObject('request', request);
    assertAmount('maxPrice', request.maxPrice);
    const { work: known } = await this.#decoded(work, 'work');
    if (known.latest_terms === 0) throw new MotifError('account-not-found', `the work ${work} has no terms`);
    const { address } = this.#core.call('address.terms', { work, number: known.latest_terms });
    const { data } = await this.#account(address, 'terms');
    const { terms } = await this.#decoded(address, 'terms', data);
    await this.#send('instruction.accept_terms', {
      payer: this.#signer.address,
      channel,
      terms: toBase64(data),
      use: request.use ?? 'generate',
      max_price: String(request.maxPrice),
      token_program: await this.#tokenProgram(terms.currency),
    });
    const { licenses } = await this.#decoded(channel, 'channel');
    return licenses.length - 1;
  }

  /** Deposits another amount. @throws As {@link openChannel}. */
  async topUp(channel: AddressText, amount: bigint): Promise<void> {
    checkAddress('channel', channel);
    assertAmount('amount', amount);
    const mint = await this.#mintOf(channel);
    const token_program = await this.#tokenProgram(mint);
    const payer = this.#signer.address;
    await this.#send('instruction.top_up', { payer, channel, mint, token_program, amount: String(amount) });
  }

  /** Starts the grace period. The gateway can close at once: see `Payer.closeChannel`. @throws As {@link openChannel}. */
  async requestClose(channel: AddressText): Promise<void> {
    checkAddress('channel', channel);
    await this.#send('instruction.request_close', { caller: this.#signer.address, channel });
  }

  /** Withdraws the rest of the deposit of a closed channel. @throws As {@link openChannel}. */
  async withdraw(channel: AddressText): Promise<void> {
    checkAddress('channel', channel);
    const mint = await this.#mintOf(channel);
    const token_program = await this.#tokenProgram(mint);
    await this.#send('instruction.withdraw', { payer: this.#signer.address, channel, mint, token_program });
  }

  async #mintOf(channel: AddressText): Promise<AddressText> {
    return (await this.#decoded(channel, 'channel')).channel.mint;
  }

  async #freeSalt(parties: { payer: AddressText; operator: AddressText; mint: AddressText }): Promise<bigint> {
    for (let salt = 0n; ; salt++) {
      const { address } = this.#core.call('address.channel', { ...parties, salt: String(salt) });
      if (!(await this.#rpc.readAccount(address))) return salt;
    }
  }

  async #tokenProgram(mint: AddressText): Promise<AddressText> {
    const account = await this.#rpc.readAccount(mint);
    if (!account) throw new MotifError('account-not-found', `there is no mint ${mint} on this cluster`);
    return account.owner;
  }

  async #account(address: AddressText, kind: Kind): Promise<ChainAccount> {
    const account = await this.#rpc.readAccount(address);
    const { licensing, payments } = this.#core.call('version', {}).programs;
    if (account && (account.owner === licensing || account.owner === payments)) return account;
    throw new MotifError('account-not-found', `${address} is no ${kind} of Motif's programs on this cluster`);
  }

  async #decoded<Wanted extends Kind>(address: AddressText, kind: Wanted, data?: Uint8Array) {
    const account = this.#core.call('account.decode', {}, data ?? (await this.#account(address, kind)).data);
    if (account.kind === kind) return account as Extract<AccountJson, { kind: Wanted }>;
    throw new MotifError('account-invalid', `${address} is a ${account.kind}: expected a ${kind}`);
  }

  /** Sends the instructions of a rule in one transaction, and waits until it is confirmed. */
  async #send<Name extends InstructionName>(name: Name, input: Calls[Name]['input']): Promise<void> {
    const made = this.#core.call(name, input) as Calls[InstructionName]['output'];
    const instructions = toKitInstructions(made, [this.#signer]);
    const { blockhash, lastValidBlockHeight } = readBlockhash(
      await this.#rpc.call('getLatestBlockhash', [{ commitment: COMMITMENT }]),
    );
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (one) => setTransactionMessageFeePayerSigner(this.#signer, one),
      (one) => setTransactionMessageLifetimeUsingBlockhash({ blockhash, lastValidBlockHeight }, one),
      (one) => appendTransactionMessageInstructions(instructions, one),
    );
    const transaction = await signTransactionMessageWithSigners(message);
    const signature = getSignatureFromTransaction(transaction);
    const settings = { encoding: 'base64', preflightCommitment: COMMITMENT };
    await this.#rpc.call('sendTransaction', [getBase64EncodedWireTransaction(transaction), settings]).catch((error) => {
      if (!(error instanceof MotifError && error.type === 'rpc-failed')) throw error;
      throw new MotifError('transaction-failed', error.message, { cause: error });
    });
    await this.#confirm(signature);
  }

  async #confirm(signature: string): Promise<void> {
    for (const deadline = Date.now() + CONFIRM_TIMEOUT; Date.now() < deadline; await pause(CONFIRM_PAUSE)) {
      const result = await this.#rpc.call('getSignatureStatuses', [[signature]]);
      const statuses = isRecord(result) ? result['value'] : undefined;
      const status: unknown = Array.isArray(statuses) ? statuses[0] : undefined;
      if (!isRecord(status)) continue;
      const { err, confirmationStatus } = status;
      if (err !== null && err !== undefined) {
        throw new MotifError('transaction-failed', `transaction ${signature} failed: ${JSON.stringify(err)}`);
      }
      if (confirmationStatus === 'confirmed' || confirmationStatus === 'finalized') return;
    }
    const text = `transaction ${signature} was not confirmed within ${CONFIRM_TIMEOUT} ms: it may land later`;
    throw new UnreachableError(this.#rpc.origin, new Error(text));
  }
}

function readBlockhash(result: unknown): { blockhash: Blockhash; lastValidBlockHeight: bigint } {
  const value = isRecord(result) && isRecord(result['value']) ? result['value'] : {};
  const { blockhash, lastValidBlockHeight } = value;
  if (typeof blockhash !== 'string' || !Number.isSafeInteger(lastValidBlockHeight)) {
    throw new UntrustedError("the node's blockhash is malformed");
  }
  return { blockhash: blockhash as Blockhash, lastValidBlockHeight: BigInt(lastValidBlockHeight as number) };
}
