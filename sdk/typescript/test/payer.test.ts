import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import {
  GatewayClient,
  Payer,
  RpcReader,
  StateError,
  memoryState,
  type OpenState,
  type PayerOptions,
  type StateStore,
} from '@motif/sdk';
import { fileState } from '@motif/sdk/node';

import { BreakOff, json, problem, TestServer } from './support/server.js';
import { TestGateway } from './support/test-gateway.js';
import { World } from './support/world.js';

let world: World;
let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  world = await World.start();
});
beforeEach(async () => {
  gateway = await TestGateway.start(world);
  folder = await mkdtemp(join(tmpdir(), 'motif-payer-'));
});
afterEach(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

const digest = (number: number) => number.toString(16).padStart(64, '0');
const generation = (number: number, units = 1) => {
  return { license: 0, units, requestDigest: digest(number), outputDigest: digest(number) };
};

function options(more: Partial<PayerOptions> = {}): PayerOptions {
  const client = new GatewayClient(gateway.url, { patience: 0 });
  return { gateway: client, rpc: world, channel: world.channel, signer: world.voucherKey.voucherSigner, ...more };
}

test('concurrent callers share vouchers', async () => {
  const payer = await Payer.open(options());
  const paying = Array.from({ length: 200 }, (_, number) => payer.generate(generation(number)));
  const receipts = await Promise.all(paying);
  expect(gateway.heard.length).toBeLessThanOrEqual(3);
  expect(receipts.map((receipt) => receipt.request_digest)).toEqual(receipts.map((_, number) => digest(number)));
  expect([payer.spent, gateway.owed]).toEqual([20_400n, 20_400]);
});

test('batch is paid for together', async () => {
  const payer = await Payer.open(options());
  const receipts = await payer.generateAll([generation(1, 2), generation(2, 3)]);
  expect(receipts.map(({ units }) => units)).toEqual([2, 3]);
  expect(gateway.heard).toHaveLength(1);
});

test('policy limits batches and the validity of vouchers', async () => {
  const payer = await Payer.open(options({ maxBatch: 10, voucherSeconds: 7_200 }));
  await Promise.all(Array.from({ length: 25 }, (_, number) => payer.generate(generation(number))));
  expect(gateway.heard.map(({ generations }) => generations.length)).toEqual([10, 10, 5]);
  const seconds = gateway.heard.map(({ voucher }) => voucher.expires_at - Date.now() / 1_000);
  expect(seconds.every((left) => left > 7_100 && left <= 7_201)).toBe(true);
});

test('refused payment fails alone', async () => {
  const payer = await Payer.open(options());
  gateway.lies.batch = ({ generations }, honest) => {
    const item = generations.findIndex((one) => one.units === 5);
    if (item < 0) return honest();
    return problem('batch-items', 409, { items: [{ item, type: 'unit-cap', detail: 'no units are left' }] });
  };
  const paid = await Promise.allSettled([1, 5, 2].map((units) => payer.generate(generation(units, units))));
  expect(paid.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(paid[1]).toMatchObject({ reason: { type: 'refused', problem: { type: 'unit-cap' }, isDefinite: true } });
  expect(payer.spent).toBe(306n);
});

test('budgets and prices limit what is signed', async () => {
  const limited = await Payer.open(options({ budget: 250n, tagBudgetsPerDay: { kofi: 102n } }));
  await limited.generate(generation(1), { tag: 'kofi' });
  const second = limited.generate(generation(2), { tag: 'kofi' });
  await expect(second).rejects.toMatchObject({ type: 'over-budget', total: 204n, budget: 102n });
  await limited.generate(generation(3));
  await expect(limited.generate(generation(4))).rejects.toMatchObject({ type: 'over-budget', budget: 250n });
  const cheap = await Payer.open(options({ maxUnitPrice: 99n }));
  const dear = cheap.generate(generation(5));
  await expect(dear).rejects.toMatchObject({ type: 'price-too-high', price: 100n, max: 99n });
  await expect(cheap.generate({ ...generation(6), license: 7 })).rejects.toMatchObject({ type: 'license-not-found' });
  expect(gateway.heard).toHaveLength(2);
});

test('payer continues from its state', async () => {
  const state = () => fileState(join(folder, 'payer'));
  const first = await Payer.open(options({ state: state(), budget: 1_000n }));
  await first.generate(generation(1), { tag: 'kofi' });
  await expect(Payer.open(options({ state: state() }))).rejects.toThrow(`process ${process.pid}`);
  await first.close();
  await expect(first.generate(generation(2))).rejects.toMatchObject({ type: 'closed' });
  const second = await Payer.open(options({ state: state(), budget: 1_000n }));
  const [kept] = second.receipts();
  expect([kept?.number, kept?.tag, kept?.charged, second.spent]).toEqual([1, 'kofi', 102n, 102n]);
  await second.forgetReceipts(1);
  expect(second.receipts()).toEqual([]);
  await second.close();
});

test('unanswered payment is repeated with the same bytes', async () => {
  const state = () => fileState(join(folder, 'payer'));
  const first = await Payer.open(options({ state: state() }));
  gateway.lies.batch = (_, honest) => {
    honest();
    throw new BreakOff(); // after the charge
  };
  const lost = await first.generate(generation(1)).catch((error: unknown) => error);
  expect(lost).toMatchObject({ type: 'unreachable', isDefinite: false });
  await first.close();
  delete gateway.lies.batch;
  const second = await Payer.open(options({ state: state() }));
  expect([second.isUnanswered, second.spent, gateway.owed]).toEqual([false, 102n, 102]);
  expect(new Set(gateway.heard.map((request) => JSON.stringify(request))).size).toBe(1);
  expect(await second.resume()).toHaveLength(1);
  await second.close();
});

test('refusal after a lost answer tells nothing', async () => {
  const client = new GatewayClient(gateway.url, { patience: 40 });
  const payer = await Payer.open(options({ gateway: client }));
  let attempts = 0;
  gateway.lies.batch = (_, honest) => {
    if (attempts++ > 0) return problem('unauthorized', 401);
    honest();
    throw new BreakOff();
  };
  await expect(payer.generate(generation(1))).rejects.toMatchObject({ type: 'outcome-unknown', isDefinite: false });
  expect([attempts, payer.isUnanswered]).toEqual([2, true]);
  delete gateway.lies.batch;
  expect(await payer.resume()).toHaveLength(1);
  expect([gateway.owed, payer.spent]).toEqual([102, 102n]);
});

test('vouchers that the gateway has lost are offered again', async () => {
  const payer = await Payer.open(options({ state: memoryState() }));
  await payer.generate(generation(1));
  const lose = gateway.remember();
  await payer.generate(generation(2));
  await payer.generate(generation(3));
  lose();
  expect(gateway.owed).toBe(102);
  await payer.generate(generation(4));
  expect([gateway.owed, payer.spent, payer.cumulative]).toEqual([408, 408n, 408n]);
  const paid = gateway.heard.flatMap(({ generations }) => generations.map((one) => Number(`0x${one.request_digest}`)));
  expect(paid.filter((number) => number === 2).length).toBeGreaterThan(1);
});

test('restored backup of a gateway is offered vouchers', async () => {
  const state = memoryState();
  const first = await Payer.open(options({ state }));
  const lose = gateway.remember();
  await first.generate(generation(1));
  await first.generate(generation(2));
  await first.close();
  lose();
  const second = await Payer.open(options({ state }));
  expect([gateway.owed, second.spent, second.isUnanswered]).toEqual([204, 204n, false]);
  await second.generate(generation(3));
  expect(gateway.owed).toBe(306);
  // Without its state, a payer cannot offer what it does not know.
  lose();
  const third = await Payer.open(options());
  expect(third.cumulative).toBe(0n);
});

test.each(['half', 'a flipped bit', 'zeros', 'a keypair'])('state that is %s is refused and kept', async (damage) => {
  const path = join(folder, 'payer');
  const first = await Payer.open(options({ state: fileState(path) }));
  await first.generate(generation(1));
  await first.close();
  const second = await Payer.open(options({ state: fileState(path) })); // one record
  await second.close();
  const whole = await readFile(path);
  const flipped = Uint8Array.from(whole);
  flipped[20]! ^= 1;
  const damages: Record<string, Uint8Array | string> = {
    half: whole.subarray(0, whole.length / 2),
    'a flipped bit': flipped,
    zeros: new Uint8Array(whole.length),
    'a keypair': world.voucherKey.keypairFile(),
  };
  await writeFile(path, damages[damage]!);
  const before = await readFile(path);
  await expect(Payer.open(options({ state: fileState(path) }))).rejects.toMatchObject({ type: 'state-invalid' });
  expect(await readFile(path)).toEqual(before);
});

/** State in memory whose writes fail after some. */
function failingState(writes: number): StateStore {
  let left = writes;
  const write = async () => {
    if (left-- <= 0) throw new StateError('state-failed', 'no space left on device');
  };
  const state: OpenState = { read: async () => new Uint8Array(), append: write, replace: write, close: async () => {} };
  return { open: async () => state };
}

test('nothing is sent that is not stored', async () => {
  const payer = await Payer.open(options({ state: failingState(1) }));
  await expect(payer.generate(generation(1))).rejects.toMatchObject({ type: 'state-failed', isDefinite: false });
  await expect(payer.generate(generation(2))).rejects.toMatchObject({ type: 'state-failed' });
  expect(gateway.heard).toEqual([]);
  await expect(Payer.open(options({ state: failingState(0) }))).rejects.toMatchObject({ type: 'state-failed' });
});

test('failed signature charges nothing', async () => {
  let isAway = false;
  const { address, sign } = world.voucherKey.voucherSigner;
  const signer = {
    address,
    sign: (message: Uint8Array<ArrayBuffer>) => (isAway ? Promise.reject(new Error('unplugged')) : sign(message)),
  };
  const payer = await Payer.open(options({ signer }));
  isAway = true;
  await expect(payer.generate(generation(1))).rejects.toMatchObject({ type: 'signer-failed' });
  isAway = false;
  await payer.generate(generation(2));
  expect([gateway.heard.length, payer.spent]).toEqual([1, 102n]);
});

test('aborted caller leaves and the payment ends', async () => {
  const payer = await Payer.open(options());
  const [early, late] = [new AbortController(), new AbortController()];
  early.abort(new Error('gone before'));
  await expect(payer.generate(generation(1), { signal: early.signal })).rejects.toThrow('gone before');
  gateway.lies.batch = (_, honest) => {
    late.abort(new Error('gone meanwhile'));
    return honest();
  };
  const paying = payer.generate(generation(2), { signal: late.signal });
  await Promise.allSettled([paying, payer.generate(generation(3))]);
  expect([gateway.owed, payer.spent]).toEqual([204, 204n]);
});

test('receipts without a caller are kept, newest last', async () => {
  const payer = await Payer.open(options());
  for (const number of [1, 2, 3]) {
    const leaving = new AbortController();
    gateway.lies.batch = (_, honest) => {
      leaving.abort(new Error('gone'));
      return honest();
    };
    await expect(payer.generate(generation(number), { signal: leaving.signal })).rejects.toThrow('gone');
    await payer.settleDoubts();
  }
  const digests = (await payer.resume()).map((receipt) => receipt.request_digest);
  expect(digests).toEqual([1, 2, 3].map(digest));
  expect(await payer.resume()).toEqual([]);
});

test('tag without an entry has the default budget', async () => {
  const budgets = { tagBudgetPerDay: 204n, tagBudgetsPerDay: { ines: 408n } };
  const payer = await Payer.open(options(budgets));
  const pay = (tag: string, units = 1) => payer.generate(generation(units, units), { tag });
  const crowd = await Promise.allSettled(Array.from({ length: 6 }, () => pay('kofi')));
  expect(crowd.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  expect(crowd[5]).toMatchObject({ reason: { type: 'over-budget', total: 306n, budget: 204n, isDefinite: true } });
  await expect(pay('ama', 3)).rejects.toMatchObject({ type: 'over-budget', total: 306n });
  expect(() => payer.check(0, 3, 'ama')).toThrowError(expect.objectContaining({ type: 'over-budget' }));
  await pay('ama', 2);
  await pay('ines', 3);
  await payer.generate(generation(9, 9));
  expect(payer.spentOn(new Date(), 'kofi')).toBe(204n);
});

test('lost payment counts for the default budget', async () => {
  const payer = await Payer.open(options({ tagBudgetPerDay: 204n }));
  gateway.lies.batch = () => {
    throw new BreakOff();
  };
  await expect(payer.generate(generation(1, 2), { tag: 'kofi' })).rejects.toMatchObject({ type: 'unreachable' });
  expect(() => payer.check(0, 1, 'kofi')).toThrowError(expect.objectContaining({ type: 'over-budget', total: 306n }));
});

test('closed payer keeps its totals and its errors are definite', async () => {
  const payer = await Payer.open(options());
  await payer.generate(generation(1));
  await payer.close();
  await payer.close();
  expect([payer.spent, payer.cumulative, payer.isUnanswered]).toEqual([102n, 102n, false]);
  await expect(payer.generate(generation(2))).rejects.toMatchObject({ type: 'closed', isDefinite: true });
  expect(() => payer.license(0)).toThrowError(expect.objectContaining({ type: 'closed' }));
  expect(() => payer.receipts()).toThrowError(expect.objectContaining({ type: 'closed' }));
});

test('payer and holds end with their blocks', async () => {
  const released: string[] = [];
  gateway.other = ({ target, body }) => {
    if (target.endsWith('/release')) released.push(target);
    const { license, units, request_digest, expires_at } = JSON.parse(body) as Record<string, unknown>;
    const facts = { license, units, request_digest, expires_at, channel: world.channel, state: 'open' };
    return json({ ...facts, hold: gateway.held });
  };
  const payer = await Payer.open(options());
  const use = { license: 0, units: 2, requestDigest: digest(1), seconds: 60 };
  const hold = await payer.hold(use);
  expect(JSON.parse(JSON.stringify(hold))).toEqual({ name: hold.name, purchase: hold.purchase });
  await hold[Symbol.asyncDispose]();
  await hold[Symbol.asyncDispose]();
  expect(released).toEqual([`/v1/holds/${hold.name}/release`]);
  const captured = await payer.hold(use);
  await payer.capture(captured, { units: 1, outputDigest: digest(2) });
  await captured[Symbol.asyncDispose]();
  expect(released).toHaveLength(1);
  await payer[Symbol.asyncDispose]();
  await expect(payer.generate(generation(3))).rejects.toMatchObject({ type: 'closed' });
});

test('payment behind an unanswered one is definite', async () => {
  const payer = await Payer.open(options());
  let later: Promise<unknown> | undefined;
  gateway.lies.batch = () => {
    later ??= payer.generate(generation(2)).catch((error: unknown) => error);
    throw new BreakOff();
  };
  await expect(payer.generate(generation(1))).rejects.toMatchObject({ type: 'unreachable', isDefinite: false });
  expect(await later).toMatchObject({ type: 'unanswered', isDefinite: true });
});

test('proxy that answers for a batch proves nothing', async () => {
  const payer = await Payer.open(options());
  gateway.lies.batch = (_, honest) => {
    honest();
    return { status: 503, body: '<h1>busy</h1>' };
  };
  await expect(payer.generate(generation(1))).rejects.toMatchObject({ type: 'unreachable', isDefinite: false });
  delete gateway.lies.batch;
  expect(await payer.resume()).toHaveLength(1);
  expect([gateway.owed, payer.spent]).toEqual([102, 102n]);
});

test('signer of another key is refused', async () => {
  const signer = world.payer.voucherSigner;
  await expect(Payer.open(options({ signer }))).rejects.toMatchObject({ type: 'invalid-input' });
});

test('channel is read from the payments program only', async () => {
  await expect(Payer.open(options({ channel: world.payer.address }))).rejects.toMatchObject({
    type: 'account-invalid',
  });
  const nowhere = await Payer.open(options({ channel: '11111111111111111111111111111112' })).catch((error) => error);
  expect(nowhere).toMatchObject({ type: 'account-not-found' });
  const forged = {
    readAccount: async (at: string) => ({ ...(await world.readAccount(at))!, owner: world.chain.mint }),
  };
  await expect(Payer.open(options({ rpc: forged }))).rejects.toMatchObject({ type: 'account-invalid' });
});

test('errors show no key of a URL', async () => {
  const secret = 'f00d-cafe';
  const rpc = new RpcReader(`http://127.0.0.1:9/v2/${secret}?api-key=${secret}`, { patience: 0 });
  const failing = new GatewayClient('http://127.0.0.1:9', { patience: 0, apiKey: secret });
  for (const read of [() => rpc.readAccount(world.channel), () => failing.operator()]) {
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'unreachable' });
    expect(inspect(error)).not.toContain(secret);
  }
  for (const create of [
    () => new GatewayClient(`http://name:${secret}@127.0.0.1:9`),
    () => new RpcReader(`http://${secret}@127.0.0.1:9`),
  ]) {
    expect(create).toThrowError(expect.objectContaining({ type: 'invalid-input' }));
    expect(create).not.toThrowError(secret);
  }
});

test('request follows a channel to its process, without a downgrade', async () => {
  const elsewhere = (holder: string) => problem('channel-held-elsewhere', 421, { holder });
  const holder = await TestServer.start(() => json({ operator: 'here' }));
  const first = await TestServer.start(() => elsewhere(holder.url));
  const client = new GatewayClient(first.url, { patience: 0 });
  expect(await client.operator()).toEqual({ operator: 'here' });
  for (const wrong of ['file:///etc/passwd', 'b.example']) {
    const server = await TestServer.start(() => elsewhere(wrong));
    const refused = new GatewayClient(server.url, { patience: 0 }).operator();
    await expect(refused).rejects.toMatchObject({ type: 'refused' });
    await server.stop();
  }
  const asked: string[] = [];
  const encrypted = new GatewayClient('https://a.example', {
    patience: 0,
    fetch: async (input) => {
      asked.push(String(input));
      return Response.json(JSON.parse(String(elsewhere('http://b.example').body)), { status: 421 });
    },
  });
  await expect(encrypted.operator()).rejects.toMatchObject({ type: 'refused' });
  expect(asked).toEqual(['https://a.example/v1/operator']);
  await Promise.all([holder.stop(), first.stop()]);
});
