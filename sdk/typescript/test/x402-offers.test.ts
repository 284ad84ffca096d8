// Offers of a foreign server that are malformed are not signed, and never end in another error than `untrusted`.
import { beforeAll, expect, test } from 'vitest';

import { Core } from '@motif/sdk';
import { MotifScheme, verifySale } from '@motif/sdk/x402';

type Inner = ConstructorParameters<typeof MotifScheme>[0];
type Requirements = Parameters<MotifScheme['createPaymentPayload']>[1];

const ADDRESS = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU';
const OFFER = { work: ADDRESS, parts: 9_800, operator: ADDRESS, operator_parts: 200 };
let core: Core;
/** Number of payments that were signed. */
let signed = 0;

beforeAll(async () => {
  core = await Core.load();
});

const inner: Inner = {
  scheme: 'exact',
  createPaymentPayload: async () => {
    signed += 1;
    return { x402Version: 2, payload: {} };
  },
};

function required(changes: object): Requirements {
  const { address } = core.call('address.till', {
    shares: { works: [{ work: ADDRESS, parts: 9_800 }], operator: ADDRESS, operator_parts: 200 },
    mint: ADDRESS,
  });
  const base = { scheme: 'exact', network: 'solana:localnet', amount: '1000', asset: ADDRESS, payTo: address };
  return { ...base, maxTimeoutSeconds: 60, extra: { motif: OFFER }, ...changes } as Requirements;
}

const pay = (changes: object) => {
  return new MotifScheme(inner, { maxPrice: 1_000n, core }).createPaymentPayload(2, required(changes));
};

test('offer that holds is signed', async () => {
  await pay({});
  expect(signed).toBe(1);
});

test('offer without an operator names its till', async () => {
  const shares = { works: [{ work: ADDRESS, parts: 1 }], operator_parts: 0 };
  const { address: payTo } = core.call('address.till', { shares, mint: ADDRESS });
  await pay({ payTo, extra: { motif: { work: ADDRESS, parts: 1, operator: null, operator_parts: 0 } } });
  expect(signed).toBe(2);
});

const malformed: [string, object][] = [
  ['no extra', { extra: undefined }],
  ['extra null', { extra: null }],
  ['no amount', { amount: undefined }],
  ['an amount that is a number', { amount: 1_000 }],
  ['two amounts', { maxAmountRequired: '5000000' }],
  ['a mint that is none', { asset: 'dollars' }],
  ['a work that is none', { extra: { motif: { ...OFFER, work: 'London' } } }],
  ['parts beyond 2^32', { extra: { motif: { ...OFFER, parts: 2 ** 40 } } }],
  ['no parts', { extra: { motif: { ...OFFER, parts: 0, operator_parts: 0 } } }],
  ['half a part', { extra: { motif: { ...OFFER, parts: 1.5 } } }],
  ['an operator that is none', { extra: { motif: { ...OFFER, operator: 'me' } } }],
  ['an offer that is a list', { extra: { motif: [OFFER] } }],
];

test.each(malformed)('offer with %s is not trusted', async (_, changes) => {
  const before = signed;
  await expect(pay(changes)).rejects.toMatchObject({ type: 'untrusted' });
  expect(signed).toBe(before);
});

test('receipt that cannot be read is not trusted', async () => {
  const rpc = { readAccount: async () => null };
  for (const header of ['!', btoa('null'), btoa('{"seller":1}')]) {
    const response = new Response('', { headers: { 'motif-receipt': header } });
    await expect(verifySale(response, new Uint8Array(), { rpc, core })).rejects.toMatchObject({ type: 'untrusted' });
  }
});
