// Every mistake of a caller is `invalid-input`: it is told at once, and nothing is signed or sent for it.
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  Core,
  GatewayClient,
  Payer,
  RpcReader,
  proveReceipt,
  sessionSigner,
  signerFromSecretKey,
  wrapFetchWithMotif,
  type Fetch,
  type PayerOptions,
  type WrapOptions,
} from '@motif/sdk';
import { examine, examineInWorker } from '@motif/sdk/content';
import { fileState } from '@motif/sdk/node';
import { MotifScheme } from '@motif/sdk/x402';

import { TestGateway } from './support/test-gateway.js';
import { World } from './support/world.js';

let world: World;
let gateway: TestGateway;
let payer: Payer;
let options: PayerOptions;

beforeAll(async () => {
  world = await World.start();
  gateway = await TestGateway.start(world);
  const { channel, voucherKey } = world;
  options = { gateway: gateway.url, rpc: world, channel, signer: voucherKey.voucherSigner };
  payer = await Payer.open(options);
});
afterAll(() => gateway.stop());

const digest = '01'.repeat(32);
const generation = { license: 0, units: 1, requestDigest: digest, outputDigest: digest };
/** What the types do not allow. */
const wrong = <T>(value: unknown) => value as T;

const mistakes: [string, () => unknown][] = [
  ['no options', () => Payer.open(wrong(undefined))],
  ['no channel', () => Payer.open({ ...options, channel: wrong(undefined) })],
  ['a channel that is no address', () => Payer.open({ ...options, channel: '0OIl' })],
  ['no signer', () => Payer.open({ ...options, signer: wrong(undefined) })],
  ['a signer without an address', () => Payer.open({ ...options, signer: wrong({ sign: () => new Uint8Array() }) })],
  ['a state that is a path', () => Payer.open({ ...options, state: wrong('payer.state') })],
  ['no gateway', () => Payer.open({ ...options, gateway: wrong(undefined) })],
  ['a path as gateway', () => Payer.open({ ...options, gateway: '/gateway' })],
  ['no node', () => Payer.open({ ...options, rpc: wrong(undefined) })],
  ['a budget that is a number', () => Payer.open({ ...options, budget: wrong(1_000) })],
  ['a negative budget', () => Payer.open({ ...options, tagBudgetsPerDay: { kofi: -1n } })],
  ['a batch of none', () => Payer.open({ ...options, maxBatch: 0 })],
  ['a file as state without a path', () => fileState(wrong(undefined))],
  ['a gateway without http', () => new GatewayClient('ftp://gateway.example')],
  ['a node that is no URL', () => new RpcReader('rpc.example')],
  ['a timeout that is a text', () => new RpcReader('http://rpc.example', { timeout: wrong('10') })],
  ['a work that is none', () => new GatewayClient(gateway.url).work('../operator')],
  ['a receipt that is none', () => proveReceipt(wrong({ digest: 'x' }), { gateway: gateway.url, rpc: world })],
  ['a text as request digest', () => payer.generate({ ...generation, requestDigest: 'prompt' })],
  ['no output digest', () => payer.generate({ ...generation, outputDigest: wrong(undefined) })],
  ['half a unit', () => payer.generate({ ...generation, units: 1.5 })],
  ['no units', () => payer.generate({ ...generation, units: 0 })],
  ['a license below 0', () => payer.generate({ ...generation, license: -1 })],
  ['no generation', () => payer.generate(wrong(undefined))],
  ['no generations', () => payer.generateAll([])],
  ['an empty tag', () => payer.generate(generation, { tag: '' })],
  ['options that are none', () => payer.generate(generation, wrong(null))],
  ['a hold for no time', () => payer.hold({ ...generation, seconds: 0 })],
  ['a hold that is none', () => payer.release(wrong('hold'))],
  ['a license that is none', () => payer.license(wrong('0'))],
  ['an unknown rule', () => Core.load().then((core) => core.call(wrong<'version'>('no.such'), {}))],
  ['no seed of an address', () => Core.load().then((core) => core.call('address.work', wrong({})))],
  ['a short secret key', () => signerFromSecretKey(new Uint8Array(31))],
  ['a text as secret key', () => signerFromSecretKey(wrong('key'))],
  ['a session key without a name', () => sessionSigner('')],
  ['a path to examine', () => examine(wrong('picture.jpg'))],
  ['a path to examine in a worker', () => examineInWorker(wrong('picture.jpg'))],
  ['no options of fetch', () => wrapFetchWithMotif(fetch, payer, wrong<WrapOptions>(undefined))],
  ['no maximum price', () => wrapFetchWithMotif(fetch, payer, wrong<WrapOptions>({}))],
  ['a maximum price that is a number', () => wrapFetchWithMotif(fetch, payer, { maxPrice: wrong(10_000) })],
  ['a maximum price that is NaN', () => wrapFetchWithMotif(fetch, payer, { maxPrice: wrong(NaN) })],
  ['an API key with a line feed', () => new GatewayClient(gateway.url, { apiKey: 'secret\nkey' })],
  ['a key of a URL', () => wrapFetchWithMotif(fetch, payer, { maxPrice: 1n, apiKeys: { 'https://a.example/x': 'k' } })],
  ['no payer', () => wrapFetchWithMotif(fetch, wrong<Payer>({}), { maxPrice: 1n })],
  ['no fetch', () => wrapFetchWithMotif(wrong<Fetch>(undefined), payer, { maxPrice: 1n })],
  ['no maximum of x402', () => new MotifScheme(wrong({}), wrong({}))],
];

test.each(mistakes)('%s is invalid input', async (_, make) => {
  const error = await (async () => make())().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ type: 'invalid-input', isDefinite: true });
  expect(gateway.heard).toEqual([]);
});

test('errors show no key and no password', async () => {
  const apiKey = 'secret\nkey';
  const buy = wrapFetchWithMotif(fetch, payer, { maxPrice: 1n });
  const named = buy('http://name:secret@127.0.0.1:9').catch((error: unknown) => error);
  expect(await named).toMatchObject({ type: 'invalid-input', message: expect.not.stringContaining('secret') });
  const wrap = { maxPrice: 1n, apiKeys: { 'https://a.example': apiKey } };
  for (const make of [() => new GatewayClient(gateway.url, { apiKey }), () => wrapFetchWithMotif(fetch, payer, wrap)]) {
    expect(make).toThrowError(expect.objectContaining({ type: 'invalid-input' }));
    expect(make).not.toThrowError('secret');
  }
});

test('signer of another key is named', async () => {
  const other = Payer.open({ ...options, signer: world.payer.voucherSigner });
  await expect(other).rejects.toThrow(world.payer.address);
});

test('no request is sent for a wrong channel', async () => {
  const asked: unknown[] = [];
  const rpc = { readAccount: async (address: string) => (asked.push(address), null) };
  await expect(Payer.open({ ...options, rpc, channel: wrong(undefined) })).rejects.toThrow('undefined');
  expect(asked).toEqual([]);
});
