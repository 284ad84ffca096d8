import { createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';

import { createKeyPairSignerFromPrivateKeyBytes, type KeyPairSigner } from '@solana/kit';

import { signerFromSecretKey, type VoucherSigner } from '@motif/sdk';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Key of a test: a signer of transactions, of vouchers, and of receipts. */
export class TestKey {
  readonly address: string;
  readonly signer: KeyPairSigner;
  readonly voucherSigner: VoucherSigner;
  readonly #key: KeyObject;
  readonly #seed: Uint8Array;

  private constructor(signer: KeyPairSigner, voucherSigner: VoucherSigner, key: KeyObject, seed: Uint8Array) {
    this.address = signer.address;
    this.signer = signer;
    this.voucherSigner = voucherSigner;
    this.#key = key;
    this.#seed = seed;
  }

  static async generate(): Promise<TestKey> {
    const seed = new Uint8Array(randomBytes(32));
    const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
    return new TestKey(await createKeyPairSignerFromPrivateKeyBytes(seed), await signerFromSecretKey(seed), key, seed);
  }

  /** Returns the key as the Solana command line keeps it in a file. */
  keypairFile(): string {
    const publicKey = createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).subarray(-32);
    return JSON.stringify([...this.#seed, ...publicKey]);
  }

  /** Returns the signature of bytes in hexadecimal. */
  sign(hex: string): string {
    return sign(null, Buffer.from(hex, 'hex'), this.#key).toString('hex');
  }
}
