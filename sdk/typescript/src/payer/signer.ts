import { toAddress } from '../bytes.js';
import { MotifError } from '../errors.js';
import { invalidInput } from '../input.js';

/**
 * Signs vouchers and requests with a channel's voucher key: a key in this process or page, in hardware, or at a service.
 */
export interface VoucherSigner {
  /** Address of the key, base58. */
  readonly address: string;
  /** Returns the Ed25519 signature of a message, 64 bytes. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> | Uint8Array;
}

const SEED_BYTES = 32;
const KEYPAIR_BYTES = 64;

/** Returns the signer of a key of Web Cryptography, which may be one that cannot be exported. */
export async function createSigner(keys: CryptoKeyPair): Promise<VoucherSigner> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey));
  return {
    address: toAddress(publicKey),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', keys.privateKey, message)),
  };
}

/** Creates a key that cannot be exported from this page or process, and returns its signer. */
export async function generateSigner(): Promise<VoucherSigner & { readonly keys: CryptoKeyPair }> {
  const keys = await generateKeys();
  return { ...(await createSigner(keys)), keys };
}

/**
 * @internal Creates a key that cannot be exported.
 *
 * @throws MotifError `signer-failed` where Web Cryptography has no Ed25519: any other key could be exported.
 */
export async function generateKeys(): Promise<CryptoKeyPair> {
  try {
    return (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  } catch (cause) {
    if (!isUnsupported(cause)) throw cause;
    const text = 'this platform has no Ed25519 in Web Cryptography: expected another one, or `signerFromSecretKey`';
    throw new MotifError('signer-failed', text, { cause });
  }
}

function isUnsupported(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotSupportedError';
}

/**
 * Returns the signer of a secret key: its 32 bytes, or the 64 of a keypair file of the Solana command line.
 *
 * Signs by Web Cryptography, or by `@noble/ed25519` where that has no Ed25519.
 *
 * @throws MotifError `invalid-input`.
 */
export async function signerFromSecretKey(bytes: Uint8Array): Promise<VoucherSigner> {
  if (!(bytes instanceof Uint8Array)) throw invalidInput('invalid secret key: expected its bytes');
  if (bytes.length !== SEED_BYTES && bytes.length !== KEYPAIR_BYTES) {
    throw invalidInput(`a secret key has ${bytes.length} bytes: expected 32, or a keypair's 64`);
  }
  const seed = bytes.slice(0, SEED_BYTES);
  const expected = bytes.length === KEYPAIR_BYTES ? toAddress(bytes.subarray(SEED_BYTES)) : undefined;
  const signer = (await webSigner(seed)) ?? (await nobleSigner(seed));
  if (expected !== undefined && expected !== signer.address) {
    throw invalidInput('the halves of a keypair do not belong together');
  }
  return signer;
}

/** Bytes before the seed in PKCS #8 of an Ed25519 key (RFC 8410). */
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/** Returns the signer of a seed, or `undefined` where Web Cryptography has no Ed25519. */
async function webSigner(seed: Uint8Array): Promise<VoucherSigner | undefined> {
  const encoded = new Uint8Array([...PKCS8, ...seed]);
  try {
    // The public key is only in the exported form of an extractable key.
    const readable = await crypto.subtle.importKey('pkcs8', encoded, 'Ed25519', true, ['sign']);
    const { x } = await crypto.subtle.exportKey('jwk', readable);
    const privateKey = await crypto.subtle.importKey('pkcs8', encoded, 'Ed25519', false, ['sign']);
    const point = { kty: 'OKP', crv: 'Ed25519', ...(x === undefined ? {} : { x }) };
    const publicKey = await crypto.subtle.importKey('jwk', point, 'Ed25519', true, ['verify']);
    return await createSigner({ privateKey, publicKey });
  } catch (error) {
    if (isUnsupported(error)) return undefined;
    throw error;
  }
}

async function nobleSigner(seed: Uint8Array): Promise<VoucherSigner> {
  const { getPublicKeyAsync, signAsync } = await import('@noble/ed25519');
  const address = toAddress(await getPublicKeyAsync(seed));
  return { address, sign: (message) => signAsync(message, seed) };
}
