// No request waits forever, none is given up too early, and no answer fills the memory.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import {
  GatewayClient,
  Payer,
  RpcReader,
  wrapFetchWithMotif,
  type Fetch,
  type MotifEvent,
  type WrapOptions,
} from '@motif/sdk';

import { fetchModule } from '../src/platform/fetch-module.js';

import { json, problem, TestServer, type Answer } from './support/server.js';
import { TestGateway } from './support/test-gateway.js';
import { World, accountsOf } from './support/world.js';

const TIMEOUT = 200;
const OVERLOADED: Answer = { status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>busy</h1>' };

let world: World;
/** Accepts connections and answers nothing. */
let silent: Server;
let silentUrl: string;
let servers: TestServer[];

beforeAll(async () => {
  world = await World.start();
});
beforeEach(async () => {
  servers = [];
  silent = createServer(() => {});
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterEach(async () => {
  silent.close();
  await Promise.all(servers.map((server) => server.stop()));
});

/** Starts a server that gives the answers one after another, and the last one from then on. */
async function serve(...answers: Answer[]): Promise<{ url: string; count: () => number }> {
  let count = 0;
  const server = await TestServer.start(() => answers[Math.min(count++, answers.length - 1)]);
  servers.push(server);
  return { url: server.url, count: () => count };
}

/** Asserts that work is given up soon; returns its error. */
async function givenUp(work: Promise<unknown>): Promise<unknown> {
  const begun = Date.now();
  const error = await work.then(
    () => expect.unreachable('expected an error'),
    (thrown: unknown) => thrown,
  );
  expect(Date.now() - begun).toBeLessThan(20_000);
  return error;
}

test('silent node and gateway are given up', async () => {
  const limits = { patience: 0, timeout: TIMEOUT };
  expect(await givenUp(new RpcReader(silentUrl, limits).readAccount(world.channel))).toMatchObject({
    type: 'unreachable',
  });
  expect(await givenUp(new GatewayClient(silentUrl, limits).operator())).toMatchObject({ type: 'unreachable' });
});

const account = () => json({ jsonrpc: '2.0', id: 1, result: { value: null } });

test.each([429, 502, 503, 504])('busy node is asked again after %i', async (status) => {
  const { url, count } = await serve({ status, body: 'slow down' }, account());
  expect(await new RpcReader(url, { patience: 5_000 }).readAccount(world.channel)).toBeNull();
  expect(count()).toBe(2);
});

test('node that refuses is a typed error', async () => {
  const refusals: [Answer, number][] = [
    [{ status: 429, body: 'slow down' }, 429],
    [{ status: 403, body: '<h1>forbidden</h1>' }, 403],
    [json({ jsonrpc: '2.0', id: 1, result: { value: { owner: 1, data: 'x' } } }), 200],
    [json({ jsonrpc: '2.0', id: 1, error: { code: -32_602, message: 'Invalid params' } }), 200],
  ];
  for (const [answer] of refusals) {
    const { url } = await serve(answer);
    const read = new RpcReader(url, { patience: 0 }).readAccount(world.channel);
    await expect(read).rejects.toMatchObject({ type: 'rpc-failed', isDefinite: true });
  }
});

test('proxy that answers for a gateway is asked again', async () => {
  const again = await serve(OVERLOADED, json({ operator: 'here' }));
  expect(await new GatewayClient(again.url, { patience: 5_000 }).operator()).toEqual({ operator: 'here' });
  const limited = await serve(problem('rate-limited', 429), json({ operator: 'here' }));
  expect(await new GatewayClient(limited.url, { patience: 5_000 }).operator()).toEqual({ operator: 'here' });
  const busy = await serve(OVERLOADED);
  await expect(new GatewayClient(busy.url, { patience: 0 }).operator()).rejects.toMatchObject({ type: 'unreachable' });
  const refused = await serve(problem('rate-limited', 429));
  await expect(new GatewayClient(refused.url, { patience: 0 }).operator()).rejects.toMatchObject({
    type: 'refused',
    problem: { type: 'rate-limited' },
  });
});

test('answers have a maximum size', async () => {
  const { url } = await serve(json({ operator: 'x'.repeat(2_000) }));
  const client = new GatewayClient(url, { patience: 0, maxBytes: 1_000 });
  await expect(client.operator()).rejects.toMatchObject({ type: 'untrusted' });
  const large = async () => new Response(new Uint8Array((16 << 20) + 1));
  const reader = new RpcReader(url, { patience: 0, fetch: large });
  await expect(reader.readAccount(world.channel)).rejects.toMatchObject({ type: 'untrusted' });
});

test('request follows a channel to listed processes only', async () => {
  const holder = await serve(json({ operator: 'here' }));
  const first = await serve(problem('channel-held-elsewhere', 421, { holder: holder.url }));
  const follow = (processes: string[]) => new GatewayClient(first.url, { patience: 0, processes }).operator();
  expect(await follow([holder.url])).toEqual({ operator: 'here' });
  await expect(follow(['https://other.example'])).rejects.toMatchObject({ type: 'refused' });
  expect(holder.count()).toBe(1);
});

test('page in place of a module is named', async () => {
  const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' };
  for (const answer of [page, { status: 404, body: '' }]) {
    const { url } = await serve(answer);
    await expect(fetchModule(`${url}/motif_core.wasm`)).rejects.toMatchObject({
      type: 'internal',
      message: expect.stringContaining(`${url}/motif_core.wasm`),
    });
  }
  const { url } = await serve({ status: 200, headers: { 'content-type': 'application/wasm' }, body: 'x' });
  expect(await (await fetchModule(url)).text()).toBe('x');
});

describePaywall();

function describePaywall(): void {
  let gateway: TestGateway;
  let payer: Payer;
  beforeEach(async () => {
    gateway = await TestGateway.start(world);
    const { channel, voucherKey } = world;
    const client = new GatewayClient(gateway.url, { patience: 0 });
    payer = await Payer.open({ gateway: client, rpc: world, channel, signer: voucherKey.voucherSigner });
  });
  afterEach(() => gateway.stop());

  const request = { method: 'POST', body: '{"prompt":"New York"}' };
  const buying = (fetcher: Fetch, more: Partial<WrapOptions> = {}) => {
    return wrapFetchWithMotif(fetcher, payer, { maxPrice: 10_000n, patience: 0, timeout: TIMEOUT, ...more });
  };
  /** Sends the requests that match to a server that does not answer. */
  const losing = (isLost: (header: string) => boolean): Fetch => {
    return (input, init) => {
      const header = new Headers(init?.headers).get('motif-payment');
      return fetch(header !== null && isLost(header) ? silentUrl : input, init);
    };
  };
  const hasVoucher = (header: string) => Buffer.from(header, 'base64url').toString().includes('"voucher"');

  test.each(['/images', '/stories'])('silent paywall is given up (%s)', async (path) => {
    const asked = buying(losing(() => true))(gateway.url + path, request);
    expect(await givenUp(asked)).toMatchObject({ type: 'unreachable', isDefinite: false });
    expect(gateway.owed).toBe(0);
  });

  test('answer that was paid and not sent is fetched again', async () => {
    const lost = buying(losing(hasVoucher))(`${gateway.url}/images`, request);
    expect(await givenUp(lost)).toMatchObject({ type: 'unreachable' });
    await buying(fetch, { timeout: 20_000 })(`${gateway.url}/images`, request);
    expect([gateway.owed, gateway.made]).toEqual([102, 1]);
  });

  test('stream that stalls is given up', async () => {
    gateway.lies.event = (name) => (name === 'due' ? ['due', undefined] : undefined);
    const stalled: Fetch = async (input, init) => {
      if (!new Headers(init?.headers).has('motif-payment')) return fetch(input, init);
      return new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } });
    };
    const response = await buying(stalled)(`${gateway.url}/stories`, request);
    expect(await givenUp(response.text())).toMatchObject({ type: 'unreachable' });
  });

  test('abort ends a request after a collection of garbage', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const leaving = new AbortController();
    const asked = buying(
      losing(() => true),
      { timeout: 60_000 },
    )(`${gateway.url}/images`, {
      ...request,
      signal: leaving.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT));
    collect();
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT));
    leaving.abort(new Error('gone'));
    expect(await givenUp(asked)).toMatchObject({ message: 'gone' });
  });

  test('proxy that answers for a paywall is asked again', async () => {
    let left = 1;
    const proxied: Fetch = async (input, init) => {
      const isAsk = new Headers(init?.headers).has('motif-payment');
      return isAsk && left-- > 0 ? new Response('<h1>busy</h1>', { status: 503 }) : fetch(input, init);
    };
    const response = await buying(proxied, { patience: 20_000, timeout: 20_000 })(`${gateway.url}/images`, request);
    expect([response.status, gateway.owed]).toEqual([200, 102]);
  });

  test('events tell of repeats without a secret', async () => {
    const events: MotifEvent[] = [];
    const secret = 'f00d-cafe';
    const rpc = await TestServer.start(accountsOf(world));
    servers.push(rpc);
    let isBusy = true;
    const busy: Fetch = async (input, init) => {
      if (!isBusy) return fetch(input, init);
      isBusy = false;
      return new Response('<h1>busy</h1>', { status: 503 });
    };
    const open = await Payer.open({
      gateway: gateway.url,
      gatewayOptions: { fetch: busy, apiKey: secret },
      rpc: `${rpc.url}/?api-key=${secret}`,
      channel: world.channel,
      signer: world.voucherKey.voucherSigner,
      onEvent: (event) => {
        events.push(event);
        throw new Error('a log that fails');
      },
    });
    gateway.lies.paywall = (answer, { answer: paid }) => {
      const isFirst = paid === undefined && gateway.payments.length === 1;
      return isFirst ? problem('too-many-unpaid', 429) : answer;
    };
    const url = `${gateway.url}/images?token=${secret}`;
    await wrapFetchWithMotif(fetch, open, { maxPrice: 10_000n })(url, request);
    gateway.lies.paywall = () => problem('unknown-answer', 404);
    await expect(wrapFetchWithMotif(fetch, open, { maxPrice: 10_000n })(url, request)).rejects.toThrow();
    expect(events.map(({ type }) => type)).toEqual(['retry', 'place-refused', 'batch', 'purchase-failed']);
    expect(events[0]).toMatchObject({ origin: gateway.url, error: 'unreachable' });
    expect(inspect(events, { depth: 9 })).not.toContain(secret);
  });
}
