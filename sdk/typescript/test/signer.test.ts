import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getBase58Decoder } from '@solana/kit';
import { afterEach, expect, test, vi } from 'vitest';

import 'fake-indexeddb/auto';

import { generateSigner, sessionSigner, signerFromSecretKey } from '@motif/sdk';
import { keypairSigner } from '@motif/sdk/node';

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const MESSAGE = new Uint8Array(176).fill(255);

function nodeKey(seed: Uint8Array) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key, publicKey: new Uint8Array(spki.subarray(-32)) };
}

afterEach(() => vi.restoreAllMocks());

test.each([0, 1, 2, 3])('secret key signs as another implementation (%i)', async () => {
  const seed = new Uint8Array(randomBytes(32));
  const { key, publicKey } = nodeKey(seed);
  const signer = await signerFromSecretKey(seed);
  expect(signer.address).toBe(getBase58Decoder().decode(publicKey));
  expect(Buffer.from(await signer.sign(MESSAGE))).toEqual(sign(null, MESSAGE, key));
});

test('signer falls back where Web Cryptography lacks Ed25519', async () => {
  const seed = new Uint8Array(randomBytes(32));
  const own = await signerFromSecretKey(seed);
  const unsupported = new DOMException('no Ed25519', 'NotSupportedError');
  const missing = vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(unsupported);
  const fallback = await signerFromSecretKey(seed);
  expect(missing).toHaveBeenCalled();
  expect(fallback.address).toBe(own.address);
  expect(Buffer.from(await fallback.sign(MESSAGE))).toEqual(Buffer.from(await own.sign(MESSAGE)));
});

test('generated key cannot be exported', async () => {
  const signer = await generateSigner();
  await expect(crypto.subtle.exportKey('pkcs8', signer.keys.privateKey)).rejects.toThrow();
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', signer.keys.publicKey));
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  expect(verify(null, MESSAGE, publicKey, await signer.sign(MESSAGE))).toBe(true);
});

test('halves of different keypairs are refused', async () => {
  const [one, other] = [randomBytes(32), randomBytes(32)];
  const mixed = new Uint8Array([...one, ...nodeKey(other).publicKey]);
  await expect(signerFromSecretKey(mixed)).rejects.toMatchObject({ type: 'invalid-input' });
});

test('malformed keypair file is refused without its content', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'motif-key-')), 'id.json');
  for (const content of ['[173, 42, ', '{"secret": 173}', '[173]', JSON.stringify(Array(64).fill(300))]) {
    await writeFile(path, content);
    const refused = await keypairSigner(path).catch((error: unknown) => error);
    expect(refused).toMatchObject({ type: 'invalid-input' });
    expect(String(refused)).not.toMatch(/173|300/);
  }
});

test('key that cannot be exported needs Web Cryptography', async () => {
  const unsupported = new DOMException('no Ed25519', 'NotSupportedError');
  vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(unsupported);
  for (const make of [generateSigner, () => sessionSigner('without Ed25519')]) {
    await expect(make()).rejects.toMatchObject({ type: 'signer-failed', isDefinite: true });
  }
});
