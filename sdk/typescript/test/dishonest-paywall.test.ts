// A dishonest paywall gets no wrong signature from the client, or is detected.
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

import { Payer, paymentOf, wrapFetchWithMotif, type Due, type Fetch, type Receipt } from '@motif/sdk';
import { FilePurchases } from '@motif/sdk/node';

import { problem, TestServer, type Answer } from './support/server.js';
import { PRICE, TestGateway } from './support/test-gateway.js';
import { World } from './support/world.js';

let world: World;
let gateway: TestGateway;
let payer: Payer;
let buy: Fetch;

beforeAll(async () => {
  world = await World.start();
});

beforeEach(async () => {
  gateway = await TestGateway.start(world);
  const { channel, voucherKey } = world;
  payer = await Payer.open({ gateway: gateway.url, rpc: world, channel, signer: voucherKey.voucherSigner });
  buy = wrapFetchWithMotif(fetch, payer, { maxPrice: 10_000n, patience: 0 });
});

afterEach(() => gateway.stop());

const request = { method: 'POST', body: JSON.stringify({ prompt: 'New York', count: 2 }) };
const images = (body: RequestInit = request) => buy(`${gateway.url}/images`, body);
const signed = () => gateway.payments.filter((payment) => payment.voucher !== undefined);

test('answer is paid for with verified bytes', async () => {
  const response = await images();
  expect([response.url, response.headers.get('content-type')]).toEqual([`${gateway.url}/images`, 'text/plain']);
  expect(await response.text()).toBe(`picture for ${request.body}`);
  const [receipt] = paymentOf(response)!.receipts;
  expect([receipt?.units, receipt?.amount]).toEqual([2, '200']);
  expect([paymentOf(response)!.cost, payer.cumulative, gateway.owed]).toEqual([204n, 204n, 204]);
});

const flip = (hex: string) => (hex.startsWith('f') ? '0' : 'f') + hex.slice(1);
const wrongDues: [string, (due: Due) => void][] = [
  ['more units', (due) => (due.units = 5)],
  ['no units', (due) => (due.units = 0)],
  ['another license', (due) => (due.license = 1)],
  ['another answer', (due) => (due.answer = flip(due.answer))],
  ['another request', (due) => (due.request_digest = flip(due.request_digest))],
  ['another part', (due) => (due.part = 1)],
];

test.each(wrongDues)('payment for %s is not signed', async (_, change) => {
  gateway.lies.due = change;
  await expect(images()).rejects.toMatchObject({ type: 'untrusted' });
  expect([signed(), gateway.heard]).toEqual([[], []]);
  expect([gateway.owed, payer.cumulative]).toEqual([0, 0n]);
});

test('replayed due is not paid again', async () => {
  let first: Due | undefined;
  gateway.lies.due = (due) => {
    first ??= { ...due };
    Object.assign(due, first);
  };
  await images();
  await expect(images({ ...request, body: '{"prompt":"Boston"}' })).rejects.toMatchObject({ type: 'untrusted' });
  expect(gateway.heard).toHaveLength(1);
  expect(gateway.owed).toBe(204);
});

test('wrong price is not paid', async () => {
  gateway.lies.due = (due) => {
    due.price = String(Number(due.price) * 10);
    // Another statement, with units that the payer did not sign.
    const { statement, cumulative, entries } = due.expected;
    due.expected.cumulative = String(Number(cumulative) * 10);
    due.expected.statement = statement + 1;
    entries.push({ license: 0, units: 9 });
  };
  const [receipt] = paymentOf(await images())!.receipts;
  expect(receipt?.amount).toBe('200');
  expect(gateway.owed).toBe(204);
});

test('price above the maximum is not asked for', async () => {
  const cheap = wrapFetchWithMotif(fetch, payer, { maxPrice: 407n });
  await expect(cheap(`${gateway.url}/images`, request)).rejects.toMatchObject({
    type: 'max-price-exceeded',
    price: 408n,
    max: 407n,
  });
  expect([gateway.payments, gateway.made]).toEqual([[], 0]);
});

test.each(['operator', 'cluster'] as const)('price tag of another %s is refused', async (field) => {
  gateway.lies.priceTag = (tag) => {
    tag[field] = field === 'operator' ? world.payer.address : flip(tag.cluster);
  };
  await expect(images()).rejects.toMatchObject({ type: 'price-tag-mismatch' });
  expect(gateway.payments).toEqual([]);
});

test('work without a license is refused', async () => {
  gateway.lies.priceTag = (tag) => (tag.quote.work = world.channel);
  await expect(images()).rejects.toMatchObject({ type: 'not-licensed' });
  expect(gateway.payments).toEqual([]);
});

test('malformed price tag or due is not trusted', async () => {
  gateway.lies.priceTag = (tag) => Object.assign(tag, { most_units: 'many' });
  await expect(images()).rejects.toMatchObject({ type: 'untrusted' });
  delete gateway.lies.priceTag;
  gateway.lies.due = (due) => Object.assign(due, { units: -1 });
  await expect(images()).rejects.toMatchObject({ type: 'untrusted' });
  expect([signed(), gateway.heard]).toEqual([[], []]);
});

test('due before a price is refused', async () => {
  const header = Buffer.from(JSON.stringify({ due: {} })).toString('base64url');
  const liar: Fetch = async () => new Response(null, { status: 402, headers: { 'motif-payment-required': header } });
  const asked = wrapFetchWithMotif(liar, payer, { maxPrice: 10_000n })('http://127.0.0.1/images');
  await expect(asked).rejects.toMatchObject({ type: 'untrusted' });
  expect(gateway.payments).toEqual([]);
});

const changeReceipt = (change: (receipt: Receipt) => void) => (answer: Answer) => {
  const header = answer.headers?.['motif-receipt'];
  if (header === undefined) return answer;
  const receipt = JSON.parse(Buffer.from(header, 'base64url').toString()) as Receipt;
  change(receipt);
  const changed = Buffer.from(JSON.stringify(receipt)).toString('base64url');
  return { ...answer, headers: { ...answer.headers, 'motif-receipt': changed } };
};
const wrongAnswers: [string, (answer: Answer) => Answer][] = [
  ['other output', (answer) => (answer.status === 200 ? { ...answer, body: `${answer.body}!` } : answer)],
  [
    'no receipt',
    ({ status, body, headers }) => {
      const { 'motif-receipt': _, ...rest } = headers ?? {};
      return { status, body, headers: rest };
    },
  ],
  ['other units', changeReceipt((receipt) => (receipt.units = 1))],
  ['another amount', changeReceipt((receipt) => (receipt.amount = '1'))],
  ['another output digest', changeReceipt((receipt) => (receipt.output_digest = flip(receipt.output_digest)))],
  ['a forged signature', changeReceipt((receipt) => (receipt.signature = flip(receipt.signature)))],
  ['a lower total', changeReceipt((receipt) => (receipt.cumulative = '102'))],
];

test.each(wrongAnswers)('answer with %s is rejected', async (_, lie) => {
  gateway.lies.paywall = lie;
  await expect(images()).rejects.toMatchObject({ type: 'untrusted', isDefinite: false });
  // A retry without interference returns the paid answer.
  delete gateway.lies.paywall;
  const response = await images();
  expect(paymentOf(response)!.receipts[0]?.units).toBe(2);
  expect([gateway.owed, payer.cumulative, gateway.made]).toEqual([204, 204n, 1]);
});

test('lost answer is paid once', async () => {
  let isLost = false;
  const losing: Fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (isLost || response.status !== 200) return response;
    isLost = true;
    throw new TypeError('the connection was reset');
  };
  const unlucky = wrapFetchWithMotif(losing, payer, { maxPrice: 10_000n, patience: 0 });
  await expect(unlucky(`${gateway.url}/images`, request)).rejects.toMatchObject({ type: 'unreachable' });
  expect(gateway.owed).toBe(204);
  expect(await (await unlucky(`${gateway.url}/images`, request)).text()).toBe(`picture for ${request.body}`);
  expect([gateway.owed, payer.cumulative, gateway.made]).toEqual([204, 204n, 1]);
});

test('named request is paid once', async () => {
  const named = { ...request, headers: { 'idempotency-key': 'picture-0001' } };
  const [first, again] = [await images(named), await images(named)];
  expect(await again.text()).toBe(await first.text());
  expect([gateway.owed, gateway.made]).toEqual([204, 1]);
  await expect(images({ ...named, headers: { 'idempotency-key': 'short' } })).rejects.toMatchObject({
    type: 'invalid-input',
  });
});

test('concurrent requests of one name are paid once', async () => {
  const named = { ...request, headers: { 'idempotency-key': 'picture-0002' } };
  const bought = await Promise.all(Array.from({ length: 5 }, () => images(named)));
  expect(new Set(await Promise.all(bought.map((response) => response.text()))).size).toBe(1);
  expect([gateway.owed, gateway.made]).toEqual([204, 1]);
});

test('named request is paid once over a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'motif-purchases-'));
  const named = { ...request, headers: { 'idempotency-key': 'picture-0003' } };
  for (let process = 0; process < 3; process++) {
    const purchases = await FilePurchases.open(join(folder, 'purchases.jsonl'));
    const again = wrapFetchWithMotif(fetch, payer, { maxPrice: 10_000n, purchases });
    expect(await (await again(`${gateway.url}/images`, named)).text()).toBe(`picture for ${request.body}`);
    await purchases.close();
    await appendFile(join(folder, 'purchases.jsonl'), '{"name":"torn');
  }
  expect([gateway.owed, gateway.made]).toEqual([204, 1]);
  const text = await readFile(join(folder, 'purchases.jsonl'), 'utf8');
  expect(text).not.toMatch(/127\.0\.0\.1/);
  await rm(folder, { recursive: true });
});

test('stream is paid part by part as it is read', async () => {
  const response = await buy(`${gateway.url}/stories`, request);
  expect(response.headers.get('content-type')).toBe('text/plain');
  expect(gateway.owed).toBe(0);
  const reader = response.body!.getReader();
  const first = await reader.read();
  expect(new TextDecoder().decode(first.value)).toBe('part 0\n'.repeat(10));
  expect(gateway.owed).toBe(102);
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('part 1\n'.repeat(10));
  await reader.cancel();
  expect([gateway.owed, paymentOf(response)!.receipts.length]).toEqual([204, 2]);
});

test('whole stream is one text', async () => {
  const response = await buy(`${gateway.url}/stories`, request);
  expect(await response.text()).toBe([0, 1, 2].map((part) => `part ${part}\n`.repeat(10)).join(''));
  expect([gateway.owed, paymentOf(response)!.cost]).toEqual([306, 306n]);
});

test('stream ends before it exceeds the maximum', async () => {
  const cheap = wrapFetchWithMotif(fetch, payer, { maxPrice: 250n });
  const response = await cheap(`${gateway.url}/stories`, request);
  await expect(response.text()).rejects.toMatchObject({ type: 'max-price-exceeded' });
  expect(gateway.owed).toBe(204);
});

const wrongEvents: [string, (name: string, data: Record<string, unknown>) => [string, unknown] | undefined, number][] =
  [
    ['unpaid part', (_, data) => ['output', { part: 0, body: 'AAAA', receipt: receiptLike(data) }], 0],
    ['malformed due', (name) => (name === 'due' ? [name, { part: 0 }] : undefined), 0],
    ['unknown event', () => ['surprise', {}], 0],
    ['part with other bytes', (name, data) => (name === 'output' ? [name, { ...data, body: 'AAAA' }] : undefined), 102],
    ['due of another part', (name, data) => (name === 'due' ? [name, { ...data, part: 7 }] : undefined), 0],
    ['due with other units', (name, data) => (name === 'due' ? [name, { ...data, units: 2 }] : undefined), 0],
  ];

test.each(wrongEvents)('stream with %s is rejected', async (_, event, owed) => {
  gateway.lies.event = event;
  const response = await buy(`${gateway.url}/stories`, request);
  await expect(response.text()).rejects.toMatchObject({ type: 'untrusted' });
  expect(gateway.owed).toBe(owed);
});

// A part has one unit, so that the lie about units is true.
const wrongShown = wrongAnswers.filter(([name]) => name !== 'other output' && name !== 'other units');

test('second due for a paid part is not paid', async () => {
  let due: Record<string, unknown> | undefined;
  gateway.lies.event = (name, data) => {
    if (name === 'due') due = data;
    return name === 'output' ? ['due', due] : undefined;
  };
  const response = await buy(`${gateway.url}/stories`, request);
  await expect(response.text()).rejects.toMatchObject({ type: 'untrusted' });
  expect([gateway.owed, gateway.heard.length]).toEqual([102, 1]);
});

test.each(wrongShown)('stream whose voucher is answered with %s is rejected', async (_, lie) => {
  gateway.lies.paywall = lie;
  const response = await buy(`${gateway.url}/stories`, request);
  await expect(response.text()).rejects.toMatchObject({ type: 'untrusted' });
});

test('paid part that was lost is fetched again', async () => {
  gateway.lies.event = (name) => (name === 'output' ? 'cut' : undefined);
  const response = await buy(`${gateway.url}/stories`, request);
  const reader = response.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('part 0\n'.repeat(10));
  await expect(reader.read()).rejects.toThrow();
  expect([gateway.owed, payer.cumulative]).toEqual([102, 102n]);
  // The channel still works.
  delete gateway.lies.event;
  await images();
});

/** Ends the stream instead of a part. */
function endInsteadOf(name: string, part: number, last: [string, unknown]): void {
  let isOver = false;
  gateway.lies.event = (event, data) => {
    if (isOver) return 'close';
    if (event !== name || data['part'] !== part) return undefined;
    isOver = true;
    return last;
  };
}

const end = { parts: 0, units: 0, bytes: 0, last_receipt: null };
const failed = { type: 'upstream-failed', detail: 'the model ended' };

test.each([
  ['that has ended', ['end', end], { type: 'untrusted', isDefinite: false }],
  ['that has failed', ['failed', failed], { type: 'refused' }],
] as const)('paid part of a stream %s is fetched again', async (_, last, error) => {
  endInsteadOf('output', 0, [...last]);
  const reader = (await buy(`${gateway.url}/stories`, request)).body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('part 0\n'.repeat(10));
  await expect(reader.read()).rejects.toMatchObject(error);
  expect([gateway.owed, payer.cumulative]).toEqual([102, 102n]);
});

test.each([
  ['too few parts', { ...end, parts: 1, units: 2 }],
  ['too few units', { ...end, parts: 2, units: 1 }],
  ['parts to come', { ...end, parts: 3, units: 3 }],
])('end of a stream that names %s is rejected', async (_, totals) => {
  endInsteadOf('due', 2, ['end', totals]);
  const response = await buy(`${gateway.url}/stories`, request);
  await expect(response.text()).rejects.toMatchObject({ type: 'untrusted' });
  expect(gateway.owed).toBe(204);
});

test('stream ends where its totals say', async () => {
  endInsteadOf('due', 2, ['end', { ...end, parts: 2, units: 2 }]);
  const response = await buy(`${gateway.url}/stories`, request);
  expect(await response.text()).toBe([0, 1].map((part) => `part ${part}\n`.repeat(10)).join(''));
});

test('redirect to a paywall is followed within its origin by a GET only', async () => {
  const elsewhere = await TestServer.start(() => ({
    status: 302,
    headers: { location: `${gateway.url}/images` },
    body: '',
  }));
  gateway.other = () => ({ status: 302, headers: { location: '/images' }, body: '' });
  const moved = await buy(`${gateway.url}/moved`);
  expect([moved.status, gateway.owed]).toEqual([200, 102]);
  await expect(buy(`${elsewhere.url}/moved`)).rejects.toMatchObject({ type: 'untrusted' });
  await expect(buy(`${gateway.url}/moved`, request)).rejects.toMatchObject({ type: 'untrusted' });
  expect([gateway.owed, gateway.payments.length]).toEqual([102, 2]);
  await elsewhere.stop();
});

test('paid request is not redirected', async () => {
  gateway.lies.paywall = () => ({ status: 307, headers: { location: '/stories' }, body: '' });
  const response = await images();
  expect([response.status, paymentOf(response), gateway.payments.length]).toEqual([307, undefined, 1]);
});

test('API key is sent to its own origin', async () => {
  const keys: [string, string | null][] = [];
  const spying: Fetch = (input, init) => {
    keys.push([new URL(String(input)).pathname, new Headers(init?.headers).get('motif-api-key')]);
    return fetch(input, init);
  };
  const apiKeys = { [gateway.url]: 'a-token', 'https://other.example': 'another' };
  await wrapFetchWithMotif(spying, payer, { maxPrice: 10_000n, apiKeys })(`${gateway.url}/images`, request);
  const none = { 'https://other.example': 'another' };
  await wrapFetchWithMotif(spying, payer, { maxPrice: 10_000n, apiKeys: none })(`${gateway.url}/images`, request);
  const sent = keys.map(([, key]) => key);
  expect(sent).toEqual([null, 'a-token', 'a-token', null, null, null]);
});

/** Lets the paywall refuse the first requests for an answer. */
function refuseFirst(count: number, type: string, status: number): void {
  let left = count;
  gateway.lies.paywall = (answer, payment) => {
    return payment.answer === undefined && left-- > 0 ? problem(type, status) : answer;
  };
}

test.each([
  ['too-many-unpaid', 429, 5],
  ['paywall-full', 503, 3],
  ['hold-ended', 409, 2],
])('request that was refused with %s is bought with another hold', async (type, status, count) => {
  refuseFirst(count, type, status);
  const response = await images({ ...request, headers: { 'idempotency-key': 'picture-0004' } });
  expect(await response.text()).toBe(`picture for ${request.body}`);
  expect([gateway.owed, gateway.heard.length, gateway.made]).toEqual([204, 1, count + 1]);
  // The name belongs to the purchase that was paid.
  await images({ ...request, headers: { 'idempotency-key': 'picture-0004' } });
  expect(gateway.owed).toBe(204);
});

test('each hold has its whole time', async () => {
  const later = Date.now() + 3_600_000;
  refuseFirst(1, 'too-many-unpaid', 429);
  const clock = vi.spyOn(Date, 'now');
  const asking = images();
  await vi.waitUntil(() => gateway.payments.length === 1);
  clock.mockReturnValue(later);
  await asking.catch(() => undefined);
  clock.mockRestore();
  const [first, second] = gateway.payments.map((payment) => payment.expires_at ?? 0);
  expect(second! - first!).toBeGreaterThanOrEqual(3_500);
});

test('hold that always ends is an error', async () => {
  refuseFirst(9, 'hold-ended', 409);
  await expect(images()).rejects.toMatchObject({ type: 'refused', problem: { type: 'hold-ended' } });
  expect([gateway.owed, gateway.made]).toEqual([0, 3]);
});

test('crowd waits for places of the channel', async () => {
  let [running, most] = [0, 0];
  const counting: Fetch = async (input, init) => {
    const isAsk = init?.body != null && new Headers(init.headers).has('motif-payment');
    if (!isAsk) return fetch(input, init);
    most = Math.max(most, ++running);
    return fetch(input, init).finally(() => (running -= 1));
  };
  const crowd = wrapFetchWithMotif(counting, payer, { maxPrice: 10_000n });
  const asked = Array.from({ length: 40 }, (_, number) => {
    return crowd(`${gateway.url}/pictures`, { method: 'POST', body: `{"prompt":"${number}"}` });
  });
  const leaving = new AbortController();
  const leaver = crowd(`${gateway.url}/pictures`, { method: 'POST', body: '{}', signal: leaving.signal });
  leaving.abort(new Error('gone'));
  await expect(leaver).rejects.toThrow('gone');
  await Promise.all(asked);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(40);
  expect([gateway.owed, gateway.made]).toEqual([4_080, 40]);
});

test('request in doubt is continued by another wrapper', async () => {
  let isLost = false;
  const losing: Fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (isLost || response.status !== 200) return response;
    isLost = true;
    throw new TypeError('the connection was reset');
  };
  const wrap = (tag: string) => wrapFetchWithMotif(losing, payer, { maxPrice: 10_000n, patience: 0, tag });
  await expect(wrap('kofi')(`${gateway.url}/images`, request)).rejects.toMatchObject({ type: 'unreachable' });
  await wrap('kofi')(`${gateway.url}/images`, request);
  expect([gateway.owed, gateway.made]).toEqual([204, 1]);
  // An equal request of another user is another purchase.
  await wrap('ines')(`${gateway.url}/images`, request);
  expect([gateway.owed, gateway.made]).toEqual([408, 2]);
});

test('doubt survives an abort while it waits', async () => {
  gateway.lies.paywall = (answer) => (answer.status === 200 ? { ...answer, body: 'other' } : answer);
  await expect(images()).rejects.toMatchObject({ type: 'untrusted' });
  delete gateway.lies.paywall;
  const made = gateway.made;
  const streams = await Promise.all(Array.from({ length: 8 }, () => buy(`${gateway.url}/stories`, request)));
  const leaving = new AbortController();
  const left = images({ ...request, signal: leaving.signal });
  setTimeout(() => leaving.abort(new Error('gone')), 100);
  await expect(left).rejects.toThrow('gone');
  await Promise.all(streams.map((stream) => stream.body!.cancel()));
  await images();
  expect([gateway.owed, gateway.made]).toEqual([204, made + 8]);
});

test('aborted payment keeps its receipt and answer', async () => {
  const leaving = new AbortController();
  gateway.lies.batch = (_, honest) => {
    leaving.abort(new Error('gone'));
    return honest();
  };
  await expect(images({ ...request, signal: leaving.signal })).rejects.toThrow('gone');
  delete gateway.lies.batch;
  expect((await payer.resume()).map(({ amount }) => amount)).toEqual(['200']);
  expect(await payer.resume()).toEqual([]);
  expect(await (await images()).text()).toBe(`picture for ${request.body}`);
  expect([gateway.owed, gateway.made]).toEqual([204, 1]);
});

test('answer in doubt is fetched by the voucher that paid', async () => {
  const leaving = new AbortController();
  gateway.lies.batch = (_, honest) => {
    leaving.abort(new Error('gone'));
    return honest();
  };
  await expect(images({ ...request, signal: leaving.signal })).rejects.toThrow('gone');
  delete gateway.lies.batch;
  // A seller that cannot find the payment of an answer would ask for another one.
  gateway.lies.paywall = (answer, { answer: paid }) => (paid ? answer : problem('idempotency-key-reused', 409));
  const response = await images();
  expect(paymentOf(response)!.cost).toBe(204n);
  expect([gateway.owed, gateway.made, signed().length]).toEqual([204, 1, 1]);
  // The next request is another purchase.
  delete gateway.lies.paywall;
  await images();
  expect([gateway.owed, gateway.made]).toEqual([408, 2]);
});

test('earlier answer is not taken for a new one', async () => {
  let earlier: Answer | undefined;
  gateway.lies.paywall = (answer) => (answer.status === 200 ? (earlier = answer) : answer);
  await images();
  gateway.lies.paywall = () => earlier!;
  await expect(images()).rejects.toMatchObject({ type: 'untrusted' });
  expect(gateway.owed).toBe(204);
});

test('text of a server cannot write to a terminal', async () => {
  const detail = 'no \u001b[31mred\u001b[0m\r\nINFO paid \u202e';
  gateway.lies.paywall = () => problem('unknown-license', 404, { detail });
  const error = await images().catch((thrown: unknown) => thrown);
  expect((error as Error).message).toContain('no \\u{1b}[31mred');
  expect((error as Error).message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('budget covers the maximum before the model runs', async () => {
  const { channel, voucherKey } = world;
  const options = { gateway: gateway.url, rpc: world, channel, signer: voucherKey.voucherSigner };
  const poor = await Payer.open({ ...options, budget: 407n });
  const asked = wrapFetchWithMotif(fetch, poor, { maxPrice: 10_000n })(`${gateway.url}/images`, request);
  await expect(asked).rejects.toMatchObject({ type: 'over-budget', total: 408n, budget: 407n });
  expect([gateway.payments, gateway.made]).toEqual([[], 0]);
  const use = { license: 0, units: 4, requestDigest: '01'.repeat(32), seconds: 60 };
  await expect(poor.hold(use)).rejects.toMatchObject({ type: 'over-budget' });
});

test('answer that used up the budget is still fetched', async () => {
  const { channel, voucherKey } = world;
  const options = { gateway: gateway.url, rpc: world, channel, signer: voucherKey.voucherSigner };
  const poor = await Payer.open({ ...options, budget: 408n });
  const leaving = new AbortController();
  gateway.lies.batch = (_, honest) => {
    leaving.abort(new Error('gone'));
    return honest();
  };
  const ask = (signal?: AbortSignal) => {
    const init = signal ? { ...request, signal } : request;
    return wrapFetchWithMotif(fetch, poor, { maxPrice: 10_000n })(`${gateway.url}/images`, init);
  };
  await expect(ask(leaving.signal)).rejects.toThrow('gone');
  delete gateway.lies.batch;
  expect(await (await ask()).text()).toBe(`picture for ${request.body}`);
  await expect(ask()).rejects.toMatchObject({ type: 'over-budget' });
  expect([gateway.owed, gateway.made]).toEqual([204, 1]);
});

test('unpaid purchase releases its hold', async () => {
  const released: string[] = [];
  gateway.other = ({ target }) => {
    released.push(target);
    return problem('hold-ended', 409);
  };
  gateway.lies.batch = () => problem('underfunded', 409);
  await expect(images()).rejects.toMatchObject({ type: 'refused', problem: { type: 'underfunded' } });
  expect(released).toEqual(gateway.answers.map((name) => `/v1/holds/${name}/release`));
  delete gateway.lies.batch;
  await images();
  // The next request is another purchase.
  expect([gateway.owed, gateway.made]).toEqual([204, 2]);
});

test('name of an unpaid purchase is bought again', async () => {
  const named = { ...request, headers: { 'idempotency-key': 'picture-0005' } };
  gateway.lies.batch = () => problem('underfunded', 409);
  await expect(images(named)).rejects.toMatchObject({ type: 'refused' });
  delete gateway.lies.batch;
  await images(named);
  await images(named);
  expect([gateway.owed, gateway.made]).toEqual([204, 2]);
});

test('free refusal has no payment', async () => {
  const payments: unknown[] = [];
  const told = wrapFetchWithMotif(fetch, payer, { maxPrice: 10_000n, onPayment: (one) => payments.push(one) });
  gateway.lies.paywall = () => ({ status: 404, body: 'no such model' });
  const response = await told(`${gateway.url}/images`, request);
  expect([response.status, await response.text(), response.url]).toEqual([
    404,
    'no such model',
    `${gateway.url}/images`,
  ]);
  expect([paymentOf(response), payments]).toEqual([undefined, []]);
  gateway.other = () => ({ status: 404, body: 'none' });
  const refusing: Fetch = async (input, init) => {
    return new Headers(init?.headers).has('motif-payment') ? new Response('none', { status: 404 }) : fetch(input, init);
  };
  const stream = await wrapFetchWithMotif(refusing, payer, { maxPrice: 10_000n })(`${gateway.url}/stories`, request);
  expect([stream.status, paymentOf(stream)]).toEqual([404, undefined]);
});

test('stream takes a place until its end', async () => {
  const opened: Response[] = [];
  for (let number = 0; number < 8; number++) opened.push(await buy(`${gateway.url}/stories`, request));
  const asked = () => gateway.payments.length;
  const ninth = buy(`${gateway.url}/stories`, request);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked()).toBe(8);
  await opened[0]!.body!.cancel();
  opened.push(await ninth);
  expect(asked()).toBe(9);
  await Promise.all(opened.slice(1).map((response) => response.body!.cancel()));
});

test('settings of the platform reach every request', async () => {
  const seen: unknown[] = [];
  const settings = { ...request, dispatcher: 'a proxy', cache: 'no-store' } as RequestInit;
  const spying: Fetch = (input, init) => {
    const { dispatcher, cache } = (init ?? {}) as { dispatcher?: unknown; cache?: unknown };
    seen.push([dispatcher, cache]);
    const { dispatcher: _, ...rest } = init as RequestInit & { dispatcher?: unknown };
    return fetch(input, rest);
  };
  await wrapFetchWithMotif(spying, payer, { maxPrice: 10_000n })(`${gateway.url}/images`, settings);
  expect(seen).toEqual(Array.from({ length: 3 }, () => ['a proxy', 'no-store']));
});

test('other answers pass unchanged', async () => {
  const response = await buy(`${gateway.url}/free?size=1`, request);
  expect(await response.json()).toEqual({ free: true, target: '/free?size=1', method: 'POST' });
  expect(paymentOf(response)).toBeUndefined();
});

/** Receipt of a stream's event, well formed and false. */
function receiptLike(due: Record<string, unknown>): Receipt {
  const [channel, work] = [world.channel as string, world.work as string];
  return {
    digest: '0'.repeat(64),
    channel,
    opened_slot: 1,
    statement: 0,
    position: 0,
    license: 0,
    units: 1,
    terms_number: 1,
    amount: String(PRICE),
    cumulative: '102',
    work,
    request_digest: String(due['request_digest'] ?? '0'.repeat(64)),
    output_digest: '0'.repeat(64),
    issued_at: 1,
    signature: '0'.repeat(128),
  };
}
