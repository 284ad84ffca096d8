import { fromHex, toHex } from '../bytes.js';
import { now } from '../clock.js';
import type { PayerAction } from '../core/types.js';
import { MotifError, messageOf } from '../errors.js';
import type { PayerProof } from '../wire.js';
import type { Machine } from './machine.js';
import type { VoucherSigner } from './signer.js';

/** Validity of a reader's proof, seconds. Longer than it is reused, because clocks differ. */
const VALID_SECONDS = 900;
const REUSED_SECONDS = 300;

/** Signs a payer's requests to its gateway. */
export class ProofSigner {
  readonly #machine: Machine;
  readonly #signer: VoucherSigner;
  #reader: { readonly issuedAt: number; readonly header: Promise<string> } | undefined;

  constructor(machine: Machine, signer: VoucherSigner) {
    this.#machine = machine;
    this.#signer = signer;
  }

  /** Signs an action for the channel. */
  async sign(action: PayerAction): Promise<PayerProof> {
    return this.#sign(action, now());
  }

  /** Returns the value of the header `motif-reader`, reused for five minutes. */
  readerHeader(): Promise<string> {
    const issuedAt = now();
    const age = issuedAt - (this.#reader?.issuedAt ?? -Infinity);
    if (this.#reader && age >= 0 && age < REUSED_SECONDS) return this.#reader.header;
    const expiresAt = issuedAt + VALID_SECONDS;
    const proof = this.#sign({ read: expiresAt }, issuedAt);
    const header = proof.then((signed) => this.#machine.readerHeader(expiresAt, signed));
    this.#reader = { issuedAt, header };
    header.catch(() => (this.#reader = undefined));
    return header;
  }

  async #sign(action: PayerAction, issuedAt: number): Promise<PayerProof> {
    const message = this.#machine.request(action, issuedAt);
    try {
      const signature = toHex(await this.#signer.sign(fromHex(message)));
      return { signer: this.#signer.address, issued_at: issuedAt, signature };
    } catch (error) {
      throw new MotifError('signer-failed', `the request was not signed: ${messageOf(error)}`, { cause: error });
    }
  }
}
