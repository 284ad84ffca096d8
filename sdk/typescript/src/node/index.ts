/**
 * What a Node.js process adds: the state of a payer and its purchases in files, and keypair files.
 *
 * @packageDocumentation
 */

import { readFile } from 'node:fs/promises';

import { MotifError, messageOf } from '../errors.js';
import { signerFromSecretKey, type VoucherSigner } from '../payer/signer.js';

export { FilePurchases } from './file-purchases.js';
export { fileState } from './file-state.js';

/**
 * Returns the bytes of a keypair file of the Solana command line: a JSON array of 64 numbers.
 *
 * @throws MotifError `invalid-input`. The message has no byte of the file.
 */
export async function readKeypairFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const invalid = (why: string) => new MotifError('invalid-input', `the keypair file ${path} ${why}`);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw invalid(`cannot be read: ${messageOf(error)}`);
  });
  let bytes: unknown;
  try {
    bytes = JSON.parse(text);
  } catch {
    throw invalid('is not JSON: expected an array of 64 numbers');
  }
  const isByte = (byte: unknown) => Number.isInteger(byte) && Number(byte) >= 0 && Number(byte) < 256;
  if (!Array.isArray(bytes) || bytes.length !== 64 || !bytes.every(isByte)) {
    throw invalid('has another form: expected an array of 64 numbers');
  }
  return Uint8Array.from(bytes);
}

/** Returns the signer of a keypair file of the Solana command line. */
export async function keypairSigner(path: string): Promise<VoucherSigner> {
  return signerFromSecretKey(await readKeypairFile(path));
}
