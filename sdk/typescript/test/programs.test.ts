import { createHash } from 'node:crypto';

import { generateKeyPairSigner, none, type Address, type KeyPairSigner } from '@solana/kit';
import { beforeAll, expect, test } from 'vitest';

import { licensing, payments } from '@motif/sdk/programs';

import { Chain } from './support/chain.js';

const { Derivatives, Unit, Use, WorkKind } = licensing;
const PRICE = 1_000n;
const DEPOSIT = 5_000_000n;
const FEE_BPS = 200;

let chain: Chain;
let [creator, friend, payer, operator, voucherKey]: KeyPairSigner[] = [];
let work: Address;
let terms: Address;
let channel: Address;

const sha256 = (bytes: ArrayLike<number>) => {
  return new Uint8Array(createHash('sha256').update(Uint8Array.from(bytes)).digest());
};
const digest = (text: string) => sha256(new TextEncoder().encode(text));

beforeAll(async () => {
  const keys = Array.from({ length: 5 }, () => generateKeyPairSigner());
  [creator, friend, payer, operator, voucherKey] = await Promise.all(keys);
  chain = await Chain.start(operator!);
  for (const one of [creator!, friend!, payer!]) chain.fund(one.address);
  await chain.mintTo(payer!.address, DEPOSIT);
});

test('work is registered with its split', async () => {
  const instruction = await licensing.getRegisterWorkInstructionAsync({
    creator: creator!,
    kind: WorkKind.Image,
    contentDigest: digest('a picture'),
    fingerprint: { scheme: 0, bits: new Uint8Array(32) },
    metadataDigest: new Uint8Array(32),
    title: 'London',
    metadataUri: '',
    consentExpiresAt: none(),
    model: none(),
    minExpiresAt: -(2n ** 63n),
    parents: [],
    split: [
      { recipient: creator!.address, shareBps: 5_000 },
      { recipient: friend!.address, shareBps: 5_000 },
    ],
  });
  await chain.send(creator!, [instruction]);
  [work] = await licensing.findWorkPda({ creator: creator!.address, contentDigest: digest('a picture') });
  const decoded = licensing.decodeWork(chain.account(work));
  expect(decoded.data.title).toBe('London');
  expect(decoded.data.split.map((share) => share.shareBps)).toEqual([5_000, 5_000]);
});

test('terms are published with their price', async () => {
  [terms] = await licensing.findTermsPda({ work, number: 1 });
  const uncapped = { totalUnits: null, dailyUnits: null, licenseeUnits: null, revenue: null };
  const instruction = licensing.getPublishTermsInstruction({
    owner: creator!,
    work,
    terms,
    currency: chain.mint,
    offer: {
      commercial: true,
      attribution: false,
      sublicensing: false,
      approvalRequired: false,
      derivatives: Derivatives.Forbidden,
      shareAlike: false,
      derivativeShareBps: 0,
      upfrontFee: 0n,
      freeUnits: 0n,
      caps: uncapped,
      validFrom: 0n,
      expiresAt: none(),
      noticeSeconds: 0,
      legalDigest: new Uint8Array(32),
      uses: [{ licensedUse: Use.Generate, unit: Unit.Generation, price: PRICE }],
      operators: [],
      legalUri: '',
    },
  });
  await chain.send(creator!, [instruction]);
  expect(licensing.decodeTerms(chain.account(terms)).data.offer.uses[0]?.price).toBe(PRICE);
});

test('channel takes a deposit and a license', async () => {
  const [config] = await licensing.findConfigPda();
  const [operatorAccount] = await payments.findOperatorPda({ authority: operator!.address });
  const seeds = { payer: payer!.address, operator: operator!.address, mint: chain.mint, salt: 0n };
  [channel] = await payments.findChannelPda(seeds);
  await chain.send(operator!, [
    await payments.getRegisterOperatorInstructionAsync({
      funder: operator!,
      authority: operator!,
      settleKey: operator!.address,
      receiptKey: operator!.address,
      terms: { feeBps: FEE_BPS, minGraceSeconds: 3_600, feeOwner: operator!.address, url: '' },
    }),
    await payments.getCreateVaultInstructionAsync({ funder: operator!, mint: chain.mint }),
  ]);
  await chain.send(payer!, [
    await payments.getOpenChannelInstructionAsync({
      payer: payer!,
      operator: operatorAccount,
      mint: chain.mint,
      payerTokens: await chain.tokensOf(payer!.address),
      channel,
      config,
      salt: 0n,
      voucherKey: voucherKey!.address,
      operatorFeeBps: FEE_BPS,
      graceSeconds: 3_600,
      deposit: DEPOSIT,
      watcher: none(),
    }),
    payments.getAcceptTermsInstruction({
      payer: payer!,
      channel,
      work,
      terms,
      licensedUse: payments.Use.Generate,
      maxPrice: PRICE,
      termsDigest: sha256(chain.account(terms).data),
      units: 0n,
      revenue: 0n,
      minExpiresAt: -(2n ** 63n),
    }),
  ]);
  const decoded = payments.decodeChannel(chain.account(channel)).data;
  expect(decoded.deposited).toBe(DEPOSIT);
  expect(decoded.licenses.map((license) => [license.work, license.price])).toEqual([[work, PRICE]]);
  expect(await chain.balance(payer!.address)).toBe(0n);
});

test('worse price than promised is refused', async () => {
  const instruction = payments.getAcceptTermsInstruction({
    payer: payer!,
    channel,
    work,
    terms,
    licensedUse: payments.Use.Generate,
    maxPrice: PRICE - 1n,
    termsDigest: sha256(chain.account(terms).data),
    units: 0n,
    revenue: 0n,
    minExpiresAt: -(2n ** 63n),
  });
  await expect(chain.send(payer!, [instruction])).rejects.toThrow('PriceAboveMaximum');
});
