import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, test } from 'vitest';

import { sha256 } from '@motif/sdk';
import { compareFingerprints, examine, examineInWorker } from '@motif/sdk/content';

import { BINARY, HAS_BINARY, Localnet, PICTURE } from './support/localnet.js';

const MEDIA = new URL('../../../tests/fixtures/media/', import.meta.url);
const picture = () => readFile(PICTURE);

test('picture has its registered digest and fingerprints', async () => {
  const { digest, media, mediaType, fingerprint, probes } = await examine(await picture());
  expect(digest).toBe('952901529a5cdf33c3d31cc5058809e8e304216a206565eca8c4261fea2afd8a');
  expect([media, mediaType]).toEqual(['image', 'image/jpeg']);
  expect(fingerprint.bits).toMatch(/^[0-9a-f]{64}$/);
  expect(probes).toContainEqual(fingerprint);
});

test('worker examines as the thread does', async () => {
  const bytes = await picture();
  expect(await examineInWorker(bytes)).toEqual(await examine(new Blob([new Uint8Array(bytes)])));
  expect(bytes.length).toBeGreaterThan(0);
});

test('encodings of one recording are alike', async () => {
  const fingerprintOf = async (name: string) => (await examine(await readFile(new URL(name, MEDIA)))).fingerprint;
  const original = await fingerprintOf('tune.flac');
  for (const name of ['tune.mp3', 'tune.ogg', 'tune.opus', 'tune.m4a']) {
    const { isAlike } = await compareFingerprints(original, await fingerprintOf(name));
    expect([name, isAlike]).toEqual([name, true]);
  }
  const other = (await examine(await picture())).fingerprint;
  expect(await compareFingerprints(original, other)).toMatchObject({ distance: null, isAlike: false });
});

test('damaged file has the digest of its bytes or a typed error', async () => {
  const bytes = await picture();
  for (const length of [1, 3, 100, 5_000]) {
    const damaged = new Uint8Array(bytes.subarray(0, length));
    const examined = await examineInWorker(damaged).catch((error: unknown) => error);
    if (examined instanceof Error) expect(examined).toMatchObject({ type: 'content-unreadable' });
    else expect(examined).toMatchObject({ digest: await sha256(damaged) });
  }
  await expect(examine(new Uint8Array((64 << 20) + 1))).rejects.toMatchObject({ type: 'content-too-large' });
});

test('file that takes too long is given up', async () => {
  await expect(examineInWorker(await picture(), 0)).rejects.toMatchObject({ type: 'internal' });
});

describe.skipIf(!HAS_BINARY)('registration', () => {
  test('fingerprint equals that of the command line', async () => {
    const localnet = await Localnet.start(['ines']);
    try {
      const path = fileURLToPath(PICTURE);
      const command = ['work', 'register', path, '--kind', 'image', '--keypair', 'ines.json', '--json'];
      const env = { ...process.env, MOTIF_RPC_URL: localnet.rpcUrl };
      const { stdout } = await promisify(execFile)(BINARY, command, { cwd: localnet.folder, env });
      const registered = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
        content_digest: string;
        fingerprint_scheme: number;
      };
      const { digest, fingerprint } = await examine(await picture());
      expect([digest, fingerprint.scheme]).toEqual([registered.content_digest, registered.fingerprint_scheme]);
    } finally {
      await localnet.stop();
    }
  });
});
