// A gateway that lies to the client in every way that could make a platform pay.
import { createHash } from 'node:crypto';

import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { GatewayClient, Payer, type Receipt } from '@motif/sdk';

import { TestKey } from './support/keys.js';
import { json, problem, type Answer } from './support/server.js';
import { TestGateway, type BatchRequest, type ChannelJson } from './support/test-gateway.js';
import { World } from './support/world.js';

let world: World;
let foreign: TestKey;
let gateway: TestGateway;
/** State of the channel after two generations. */
let truth: ChannelJson;

beforeAll(async () => {
  world = await World.start();
  foreign = await TestKey.generate();
});

beforeEach(async () => {
  gateway = await TestGateway.start(world);
  const payer = await open();
  for (const number of [1, 2]) await payer.generate(generation(number));
  truth = gateway.state();
  gateway.heard.length = 0;
});

afterEach(() => gateway.stop());

function open(): Promise<Payer> {
  const { channel, voucherKey } = world;
  const client = new GatewayClient(gateway.url, { patience: 0 });
  return Payer.open({ gateway: client, rpc: world, channel, signer: voucherKey.voucherSigner });
}

function generation(number: number) {
  const digest = number.toString(16).padStart(64, '0');
  return { license: 0, units: 1, requestDigest: digest, outputDigest: digest };
}

test('true state is resumed', async () => {
  const payer = await open();
  expect(payer.cumulative).toBe(204n);
  await payer.generate(generation(3));
  expect(payer.spent).toBe(102n);
  expect(gateway.owed).toBe(306);
});

test('integers beyond 2^53 reach the rules unchanged', async () => {
  const most = '18446744073709551615'; // 2^64 - 1
  const license = {
    license: 0,
    work: world.work,
    terms_number: 1,
    use: null,
    unit: null,
    price: '100',
    expires_at: null,
  };
  const text = (free: string) => {
    const counts = `"settled_units":0,"free_units_left":${free}`;
    const state = JSON.stringify({ ...truth, licenses: [license] });
    return state.replace('"expires_at":null}', `"expires_at":null,${counts}}`);
  };
  gateway.lies.state = () => text(most);
  expect((await open()).cumulative).toBe(204n);
  // One more is no integer of 64 bits: it is refused, and not rounded.
  gateway.lies.state = () => text('18446744073709551616');
  await expect(open()).rejects.toMatchObject({ type: 'untrusted' });
  gateway.lies.state = () => '{"channel":';
  await expect(open()).rejects.toMatchObject({ type: 'untrusted' });
});

test('foreign statement is not signed', async () => {
  const larger = { ...truth.open.voucher!, cumulative: '900000' };
  const { bytes } = world.core.call('voucher.bytes', { voucher: larger });
  const forged = { ...larger, signature: foreign.sign(bytes) };
  const lies: ((state: ChannelJson) => unknown)[] = [
    (state) => ({ ...state, open: { ...state.open, entries: [{ license: 0, units: 9_000 }] } }),
    (state) => ({ ...state, open: { ...state.open, voucher: forged } }),
    (state) => ({ ...state, open: { ...state.open, voucher: larger } }),
    (state) => ({ ...state, open: { ...state.open, statement: 1 } }),
    (state) => ({ ...state, unsettled: [{ ...state.open, voucher: null }] }),
    (state) => ({ ...state, unsettled: [state.open] }),
  ];
  for (const lie of lies) {
    gateway.lies.state = lie;
    await expect(open()).rejects.toMatchObject({ type: 'untrusted' });
    expect(gateway.heard).toEqual([]);
  }
});

test('false hint raises no total', async () => {
  const payer = await open();
  const entries = [{ license: 0, units: 9_000 }];
  const expected = (statement: number, cumulative: number, own: object[]) => {
    return { statement, cumulative: String(cumulative), entries: own };
  };
  const lies: [string, object | null][] = [
    ['wrong-price', expected(0, 900_000, entries)],
    ['voucher-not-newer', expected(0, 900_000, entries)],
    ['statement-closed', expected(1, 900_000, [])],
    ['statement-closed', expected(1, 204, entries)],
    ['statement-closed', expected(9, 204, [])],
    ['statement-closed', null],
  ];
  for (const [type, hint] of lies) {
    gateway.lies.batch = () => problem(type, 409, { expected: hint });
    await expect(payer.generate(generation(3))).rejects.toThrow();
  }
  // One signature each, all for one generation more than was paid.
  const signed = gateway.heard.map(({ voucher }) => [voucher.statement, voucher.cumulative]);
  expect(signed).toEqual(lies.map(() => [0, '306']));
  expect(payer.spent).toBe(0n);
});

const increase = (text: string) => String(BigInt(text) + 1n);
const flip = (hex: string) => (hex.startsWith('f') ? '0' : 'f') + hex.slice(1);
const lies: [string, (receipt: Receipt) => Partial<Receipt>][] = [
  ['amount', ({ amount }) => ({ amount: increase(amount) })],
  ['total', ({ cumulative }) => ({ cumulative: increase(cumulative) })],
  ['lower total', ({ cumulative }) => ({ cumulative: String(BigInt(cumulative) - 102n) })],
  ['units', ({ units }) => ({ units: units + 1 })],
  ['license', ({ license }) => ({ license: license + 1 })],
  ['statement', ({ statement }) => ({ statement: statement + 1 })],
  ['opening', ({ opened_slot }) => ({ opened_slot: opened_slot + 1 })],
  ['terms', ({ terms_number }) => ({ terms_number: terms_number + 1 })],
  ['work', ({ channel }) => ({ work: channel })],
  ['channel', ({ work }) => ({ channel: work })],
  ['request', ({ request_digest }) => ({ request_digest: flip(request_digest) })],
  ['output', ({ output_digest }) => ({ output_digest: flip(output_digest) })],
];

test.each(lies)('receipt with another %s is rejected', async (_, lie) => {
  const payer = await open();
  gateway.lies.batch = (request) => {
    const honest = gateway.receipt(request, request.generations[0]!);
    return json({ receipts: [gateway.sign({ ...honest, ...lie(honest) })] });
  };
  await expect(payer.generate(generation(3))).rejects.toMatchObject({ type: 'untrusted', isDefinite: false });
  // The outcome is unknown, so nothing else is signed before it is known.
  gateway.lies.batch = () => ({ status: 500, body: 'no' });
  await expect(payer.generate(generation(4))).rejects.toMatchObject({ type: 'unanswered' });
  expect(gateway.heard.length).toBeGreaterThan(1);
  expect(gateway.heard).toEqual(gateway.heard.map(() => gateway.heard[0]));
  expect([payer.spent, payer.isUnanswered]).toEqual([0n, true]);
});

test('receipt without the true signature is rejected', async () => {
  const payer = await open();
  const answer = (receipt: Receipt): Answer => json({ receipts: [receipt] });
  const honest = (request: BatchRequest) => gateway.receipt(request, request.generations[0]!);
  gateway.lies.batch = (request) => answer(gateway.sign(honest(request), foreign));
  await expect(payer.generate(generation(3))).rejects.toMatchObject({ type: 'untrusted' });
  gateway.lies.batch = (request) => {
    // Signed by the operator, but no Merkle path leads from this receipt to the signed root.
    const others = [3, 4].map((position) => gateway.sign({ ...honest(request), position }));
    const [bundled] = bundle(others as [Receipt, Receipt]);
    return answer({ ...honest(request), signature: bundled.signature, bundle: bundled.bundle! });
  };
  await expect(payer.resume()).rejects.toMatchObject({ type: 'untrusted' });
  gateway.lies.batch = (request) => {
    const own = honest(request);
    return answer(bundle([own, gateway.sign({ ...own, position: 3 })])[0]);
  };
  expect(await payer.resume()).toHaveLength(1);
  expect(payer.spent).toBe(102n);
});

test('lower total of the gateway is not followed', async () => {
  const payer = await open();
  gateway.lies.batch = (request, honest) => {
    if (gateway.heard.length > 1) return honest();
    const entries = [{ license: 0, units: 1 }];
    return problem('wrong-price', 409, { expected: { statement: 0, cumulative: '102', entries } });
  };
  await expect(payer.generate(generation(3))).rejects.toMatchObject({ type: 'refused' });
  expect(payer.cumulative).toBe(204n);
  await payer.generate(generation(4));
  expect(gateway.heard.map(({ voucher }) => voucher.cumulative)).toEqual(['306', '306']);
});

/** Signs two receipts together, as docs/formats.md describes it. */
function bundle(receipts: [Receipt, Receipt]): [Receipt, Receipt] {
  const [left, right] = receipts.map(({ digest }) => Buffer.from(digest, 'hex')) as [Buffer, Buffer];
  const root = createHash('sha256')
    .update(Buffer.from([1]))
    .update(left)
    .update(right)
    .digest();
  const domain = Buffer.from('ff6d6f7469662d62756e646c65640001', 'hex');
  const signature = world.operator.sign(Buffer.concat([domain, root]).toString('hex'));
  const [one, other] = receipts;
  return [
    { ...one, signature, bundle: [{ hash: right.toString('hex'), is_left: false }] },
    { ...other, signature, bundle: [{ hash: left.toString('hex'), is_left: true }] },
  ];
}
