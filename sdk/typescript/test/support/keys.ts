import { createPrivateKey, randomBytes, sign, type KeyObject } from 'node:crypto';

import { createKeyPairSignerFromPrivateKeyBytes, type KeyPairSigner } from '@solana/kit';

import { signerFromSecretKey, type VoucherSigner } from '@motif/sdk';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Key of a test: a signer of transactions, of vouchers, and of receipts. */
export class TestKey {
  readonly address: string;
  readonly signer: KeyPairSigner;
  readonly voucherSigner: VoucherSigner;
  readonly #key: KeyObject;

  private constructor(signer: KeyPairSigner, voucherSigner: VoucherSigner, key: KeyObject) {
    this.address = signer.address;
    this.signer = signer;
    this.voucherSigner = voucherSigner;
    this.#key = key;
  }

  static async generate(): Promise<TestKey> {
    const seed = new Uint8Array(randomBytes(32));
    const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
    return new TestKey(await createKeyPairSignerFromPrivateKeyBytes(seed), await signerFromSecretKey(seed), key);
  }

  /** Returns the signature of bytes in hexadecimal. */
  sign(hex: string): string {
    return sign(null, Buffer.from(hex, 'hex'), this.#key).toString('hex');
  }
}
