// Stock clients of x402 with the scheme plug-in, at a gateway that sells without a channel.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { serve, type ServerType } from '@hono/node-server';
import { createKeyPairSignerFromBytes, type KeyPairSigner } from '@solana/kit';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmScheme } from '@x402/svm/exact/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Core, paymentOf, wrapFetchWithMotif, type Fetch } from '@motif/sdk';
import { readKeypairFile } from '@motif/sdk/node';
import { MotifScheme, verifySale, type MotifSchemeOptions } from '@motif/sdk/x402';

import { seller } from '../examples/hono-seller.js';
import { blocks } from './support/documents.js';
import { HAS_BINARY } from './support/localnet.js';
import { Shop } from './support/shop.js';

type Requirements = Parameters<MotifScheme['createPaymentPayload']>[1];

const PRICE = 1_020n;
const MINT = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU';

describe.skipIf(!HAS_BINARY)('x402', () => {
  let server: ServerType;
  let shop: Shop;
  let buyer: KeyPairSigner;
  let core: Core;

  beforeAll(async () => {
    server = serve({ fetch: seller.fetch, port: 0, hostname: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    shop = await Shop.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { sales: true });
    buyer = await createKeyPairSignerFromBytes(await readKeypairFile(shop.localnet.path('buyer.json')));
    core = await Core.load();
    await offered();
  });
  afterAll(async () => {
    await shop?.close();
    server?.close();
  });

  /** Waits until the gateway has opened the till of the work. */
  async function offered(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const response = await fetch(`${shop.url}/pictures`, { method: 'POST', body: '{"prompt":"an offer"}' });
      if (response.headers.has('payment-required')) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the paywall makes no offer');
  }

  function buying(options: MotifSchemeOptions, inner: Fetch = fetch): Fetch {
    const exact = new ExactSvmScheme(buyer, { rpcUrl: shop.localnet.rpcUrl });
    const client = new x402Client().register('solana:*', new MotifScheme(exact, { core, ...options }));
    return wrapFetchWithPayment(inner as typeof fetch, client);
  }

  async function held(): Promise<bigint> {
    const { address } = core.call('address.tokens', { owner: buyer.address, mint: MINT });
    const { value } = await shop.localnet.call<{ value: { amount: string } }>('getTokenAccountBalance', [address]);
    return BigInt(value.amount);
  }

  const request = (prompt: string) => ({ method: 'POST', body: JSON.stringify({ prompt }) });

  test('stock client buys with one more line and a verified receipt', async () => {
    const before = await held();
    const response = await buying({ maxPrice: PRICE, works: [shop.work], mints: [MINT] })(
      `${shop.url}/pictures`,
      request('one'),
    );
    const body = new Uint8Array(await response.arrayBuffer());
    expect([response.status, new TextDecoder().decode(body).slice(0, 4)]).toEqual([200, '<svg']);
    const options = { rpc: shop.localnet.rpcUrl, core };
    const receipt = await verifySale(response, body, options);
    expect([receipt.payer, receipt.works[0]?.work]).toEqual([buyer.address, shop.work]);
    expect(before - (await held())).toBe(PRICE);
    const other = new Uint8Array([...body, 0]);
    await expect(verifySale(response, other, options)).rejects.toMatchObject({ type: 'receipt-invalid' });
    const foreign = { ...options, seller: buyer.address };
    await expect(verifySale(response, body, foreign)).rejects.toMatchObject({ type: 'receipt-invalid' });
  });

  const refusals: [string, MotifSchemeOptions, string][] = [
    ['price above the maximum', { maxPrice: PRICE - 1n }, 'expected at most 1019'],
    ['another work', { maxPrice: PRICE, works: [MINT] }, 'which is not allowed'],
    ['another mint', { maxPrice: PRICE, mints: [] }, 'which is not allowed'],
    ['a higher fee', { maxPrice: PRICE, maxFeeBps: 100 }, 'go to the operator'],
  ];
  test.each(refusals)('%s is not paid', async (_, options, message) => {
    const before = await held();
    await expect(buying(options)(`${shop.url}/pictures`, request('two'))).rejects.toThrow(message);
    expect(await held()).toBe(before);
  });

  const lies: [string, (requirements: Requirements) => void][] = [
    ['another payee', (one) => Object.assign(one, { payTo: buyer.address })],
    ['fewer parts of the work', (one) => Object.assign(one.extra['motif'] as object, { parts: 9_000 })],
    ['another work', (one) => Object.assign(one.extra['motif'] as object, { work: MINT })],
    ['no work', (one) => delete one.extra['motif']],
  ];
  test.each(lies)('offer with %s is not signed', async (_, change) => {
    const before = await held();
    const liar: Fetch = async (input, init) => {
      const response = await fetch(input, init);
      const header = response.headers.get('payment-required');
      if (header === null) return response;
      const required = JSON.parse(atob(header)) as { accepts: Requirements[] };
      required.accepts.forEach(change);
      const headers = new Headers(response.headers);
      headers.set('payment-required', btoa(JSON.stringify(required)));
      return new Response(null, { status: 402, headers });
    };
    await expect(buying({ maxPrice: PRICE }, liar)(`${shop.url}/pictures`, request('three'))).rejects.toThrow(
      /till|no work/,
    );
    expect(await held()).toBe(before);
  });

  test('shortest way to buy one answer works as pasted', async () => {
    const before = await held();
    const { localnet } = shop;
    const [block] = await blocks('docs/clients.md', 'Buy one answer', 'js');
    const script = block!.replace('http://127.0.0.1:8899', localnet.rpcUrl).replace('http://127.0.0.1:8790', shop.url);
    // A script in the package can import it by its name.
    const file = fileURLToPath(new URL('../build/buy-one-answer.mjs', import.meta.url));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${script}console.log(picture.status, picture.headers.get('content-type'));`);
    await mkdir(localnet.path('walkthrough'));
    await copyFile(localnet.path('buyer.json'), localnet.path('walkthrough/platform.json'));
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: localnet.folder });
    expect(stdout).toBe('200 image/svg+xml\n');
    expect(before - (await held())).toBe(PRICE);
  });

  test('channel inside pays before x402 is asked', async () => {
    const payer = await shop.payer();
    const before = await held();
    const channel = wrapFetchWithMotif(fetch, payer, { maxPrice: PRICE });
    let payment: ReturnType<typeof paymentOf>;
    const inner: Fetch = async (input, init) => {
      const response = await channel(input, init);
      payment = paymentOf(response);
      return response;
    };
    const response = await buying({ maxPrice: 0n }, inner)(`${shop.url}/pictures`, request('four'));
    expect([response.status, payment?.receipts.length]).toEqual([200, 1]);
    expect(await held()).toBe(before);
    await payer.close();
  });
});
