// The examples, against a gateway with a paywall in front of the example's model server.
import type { AddressInfo } from 'node:net';

import { serve, type ServerType } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { RpcReader, paymentOf, wrapFetchWithMotif, type Payer, type Payment } from '@motif/sdk';

import { stream } from '../examples/ai-sdk-buyer.js';
import { createBuyer } from '../examples/hono-buyer.js';
import { seller } from '../examples/hono-seller.js';
import { ask, createClient } from '../examples/openai-buyer.js';
import { HAS_BINARY } from './support/localnet.js';
import { Shop } from './support/shop.js';

const COST = 1_020n;
const MAX_PRICE = 20n * COST;

describe.skipIf(!HAS_BINARY)('examples', () => {
  let server: ServerType;
  let shop: Shop;
  let payer: Payer;

  beforeAll(async () => {
    server = serve({ fetch: seller.fetch, port: 0, hostname: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    shop = await Shop.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    payer = await shop.payer({ tagBudgetPerDay: 2n * COST });
  });
  afterAll(async () => {
    await payer?.close();
    await shop?.close();
    server?.close();
  });

  /** Returns what a purchase has cost. */
  async function costOf(buy: () => Promise<unknown>): Promise<bigint> {
    const before = payer.spent;
    await buy();
    return payer.spent - before;
  }

  test('platform buys pictures within the budgets of its users', async () => {
    const users = new Map([
      ['token-of-ines', 'ines'],
      ['token-of-kofi', 'kofi'],
    ]);
    const userOf = (token: string) => users.get(token);
    const buyer = createBuyer({ payer, paywall: shop.url, maxPrice: MAX_PRICE, userOf });
    const get = (prompt: string, token = 'token-of-kofi') => {
      return buyer.request(`/picture?prompt=${prompt}`, { headers: { authorization: `Bearer ${token}` } });
    };
    expect((await get('Berlin', 'guessed')).status).toBe(401);
    for (const prompt of ['London', 'Accra']) {
      const response = await get(prompt);
      expect(response.headers.get('content-type')).toBe('image/svg+xml');
      expect(response.headers.get('x-receipt')).toMatch(/^[0-9a-f]{64}$/);
      expect(await response.text()).toContain('<svg');
    }
    const refused = await get('Boston');
    expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([429, 'over-budget']);
    expect(payer.spentOn(new Date(), 'kofi')).toBe(2n * COST);
    expect((await get('Boston', 'token-of-ines')).status).toBe(200);
  });

  test('measured units are paid as they were used', async () => {
    const payments: Payment[] = [];
    const buy = wrapFetchWithMotif(fetch, payer, { maxPrice: 4n * COST, onPayment: (one) => payments.push(one) });
    const body = JSON.stringify({ prompt: 'London', count: 3 });
    const cost = await costOf(async () => {
      const response = await buy(`${shop.url}/images`, { method: 'POST', body });
      expect(((await response.json()) as { pictures: string[] }).pictures).toHaveLength(3);
      expect(paymentOf(response)).toBe(payments[0]);
    });
    expect([cost, payments[0]!.cost, payments[0]!.receipts[0]!.units]).toEqual([3n * COST, 3n * COST, 3]);
  });

  test('stock OpenAI client streams and completes', async () => {
    const client = createClient(payer, shop.url, MAX_PRICE);
    const cost = await costOf(async () => {
      expect(await ask(client, 'same style York New')).toEqual(['New', ' York', ' style', ' same', '']);
    });
    expect(cost).toBe(6n * COST);
    const messages = [{ role: 'user' as const, content: 'same style York New' }];
    const whole = async () => {
      const completed = await client.chat.completions.create({ model: 'style', messages });
      expect(completed.choices[0]?.message.content).toBe('New York style same');
    };
    expect(await costOf(whole)).toBe(COST);
  });

  test('refusal of the model server is passed on and free', async () => {
    const client = createClient(payer, shop.url, MAX_PRICE);
    const refused = () => client.chat.completions.create({ model: 'unknown', messages: [] });
    expect(await costOf(() => expect(refused()).rejects.toMatchObject({ status: 404, code: 'model_not_found' }))).toBe(
      0n,
    );
  });

  test('AI SDK streams a text', async () => {
    const cost = await costOf(async () => {
      const pieces: string[] = [];
      for await (const piece of stream(payer, shop.url, 'same style York New', MAX_PRICE)) pieces.push(piece);
      expect(pieces.join('')).toBe('New York style same');
    });
    expect(cost).toBe(6n * COST);
  });

  test('concurrent requests are paid once each', async () => {
    const buy = wrapFetchWithMotif(fetch, payer, { maxPrice: COST });
    const digests = new Set<string>();
    const cost = await costOf(async () => {
      const buying = Array.from({ length: 100 }, async (_, number) => {
        const body = JSON.stringify({ prompt: `picture ${number}` });
        const response = await buy(`${shop.url}/pictures`, { method: 'POST', body });
        expect(await response.text()).toContain('<svg');
        digests.add(paymentOf(response)!.receipts[0]!.digest);
      });
      await Promise.all(buying);
    });
    expect([cost, digests.size]).toEqual([100n * COST, 100]);
  });

  test('holds are captured or released', async () => {
    const digest = (byte: string) => byte.repeat(32);
    const use = { license: 0, units: 5, requestDigest: digest('01'), seconds: 60 };
    const captured = await payer.hold(use);
    const cost = await costOf(async () => {
      const receipt = await payer.capture(captured, { units: 2, outputDigest: digest('02') });
      expect([receipt.units, receipt.output_digest]).toEqual([2, digest('02')]);
    });
    expect(cost).toBe(2n * COST);
    const released = await payer.hold(use);
    await payer.release(released);
    await payer.release(released);
    const capture = payer.capture(released, { units: 1, outputDigest: digest('02') });
    await expect(capture).rejects.toMatchObject({ type: 'refused', problem: { type: 'hold-ended' } });
  });

  test('free routes pass unchanged', async () => {
    const buy = wrapFetchWithMotif(fetch, payer, { maxPrice: 0n });
    const response = await buy(`${shop.url}/health`);
    expect([response.status, await response.text(), paymentOf(response)]).toEqual([200, 'ok', undefined]);
    const unlisted = await buy(`${shop.url}/unlisted`);
    expect([unlisted.status, paymentOf(unlisted)]).toEqual([404, undefined]);
  });

  test('everything that was paid is settled', async () => {
    const owed = payer.cumulative;
    await payer.settle();
    await payer.refresh();
    const account = await new RpcReader(shop.localnet.rpcUrl).readAccount(shop.channel);
    const decoded = payer.core.call('account.decode', {}, account!.data);
    expect(decoded.kind === 'channel' && BigInt(decoded.channel.cumulative)).toBe(owed);
  });
});
