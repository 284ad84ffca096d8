import { createHash } from 'node:crypto';

import { address, none, type Address } from '@solana/kit';

import { Core, type AccountReader, type Use } from '@motif/sdk';
import { licensing, payments } from '@motif/sdk/programs';

import { Chain } from './chain.js';
import { TestKey } from './keys.js';
import { json, type Handler } from './server.js';

export const FEE_BPS = 200;
const ANY_TIME = -(2n ** 63n);

/** A channel on a network in this process: a work with terms, its creator, a payer and an operator. */
export class World implements AccountReader {
  readonly core: Core;
  readonly chain: Chain;
  readonly creator: TestKey;
  readonly payer: TestKey;
  readonly voucherKey: TestKey;
  /** Address of the key that signs vouchers: that of `voucherKey`, unless a test has another one. */
  readonly voucherAddress: string;
  readonly operator: TestKey;
  readonly work: Address;
  readonly terms: Address;
  readonly channel: Address;

  private constructor(parts: Omit<World, 'readAccount' | 'account' | 'operatorAccount'>) {
    this.core = parts.core;
    this.chain = parts.chain;
    this.creator = parts.creator;
    this.payer = parts.payer;
    this.voucherKey = parts.voucherKey;
    this.voucherAddress = parts.voucherAddress;
    this.operator = parts.operator;
    this.work = parts.work;
    this.terms = parts.terms;
    this.channel = parts.channel;
  }

  /** Registers a work at a price, opens a channel and accepts the terms. */
  static async start({
    price = 100n,
    deposit = 1_000_000n,
    uses = ['generate'] as Use[],
    voucherAddress = undefined as string | undefined,
  } = {}): Promise<World> {
    const keys = Array.from({ length: 4 }, () => TestKey.generate());
    const [creator, payer, voucherKey, operator] = (await Promise.all(keys)) as [TestKey, TestKey, TestKey, TestKey];
    const core = await Core.load();
    const chain = await Chain.start(operator.signer);
    for (const one of [creator, payer]) chain.fund(one.signer.address);
    await chain.mintTo(payer.signer.address, deposit);
    const work = await register(chain, creator);
    const terms = await publish(chain, creator, { work, price, uses });
    const signing = voucherAddress ?? voucherKey.address;
    const channel = await open(chain, { payer, voucherAddress: signing, operator, deposit });
    for (const use of uses) await accept(chain, { payer, work, terms, channel, use, price });
    return new World({
      core,
      chain,
      creator,
      payer,
      voucherKey,
      voucherAddress: signing,
      operator,
      work,
      terms,
      channel,
    });
  }

  async readAccount(at: string): Promise<{ owner: string; data: Uint8Array<ArrayBuffer> } | null> {
    const account = this.chain.svm.getAccount(address(at));
    return account.exists ? { owner: account.programAddress, data: Uint8Array.from(account.data) } : null;
  }

  /** Returns the data of an account. */
  account(at: string): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.chain.account(address(at)).data);
  }

  async operatorAccount(): Promise<Address> {
    return (await payments.findOperatorPda({ authority: this.operator.signer.address }))[0];
  }
}

/** Returns a handler that answers a node's reads of accounts. */
export function accountsOf(world: World): Handler {
  return async ({ body }) => {
    const { params } = JSON.parse(body) as { params: [string] };
    const account = await world.readAccount(params[0]);
    const value = account && { owner: account.owner, data: [Buffer.from(account.data).toString('base64'), 'base64'] };
    return json({ jsonrpc: '2.0', id: 1, result: { value } });
  };
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function register(chain: Chain, creator: TestKey): Promise<Address> {
  const contentDigest = new Uint8Array(createHash('sha256').update('a picture').digest());
  const instruction = await licensing.getRegisterWorkInstructionAsync({
    creator: creator.signer,
    kind: licensing.WorkKind.Image,
    contentDigest,
    fingerprint: { scheme: 0, bits: new Uint8Array(32) },
    metadataDigest: new Uint8Array(32),
    title: 'London',
    metadataUri: '',
    consentExpiresAt: none(),
    model: none(),
    minExpiresAt: ANY_TIME,
    parents: [],
    split: [{ recipient: creator.signer.address, shareBps: 10_000 }],
  });
  await chain.send(creator.signer, [instruction]);
  return (await licensing.findWorkPda({ creator: creator.signer.address, contentDigest }))[0];
}

const USES: Record<Use, licensing.Use> = {
  generate: licensing.Use.Generate,
  'style-transfer': licensing.Use.StyleTransfer,
  'voice-convert': licensing.Use.VoiceConvert,
  train: licensing.Use.Train,
  'fine-tune': licensing.Use.FineTune,
  play: licensing.Use.Play,
};

async function publish(
  chain: Chain,
  creator: TestKey,
  { work, price, uses }: { work: Address; price: bigint; uses: Use[] },
): Promise<Address> {
  const [terms] = await licensing.findTermsPda({ work, number: 1 });
  const instruction = licensing.getPublishTermsInstruction({
    owner: creator.signer,
    work,
    terms,
    currency: chain.mint,
    offer: {
      commercial: true,
      attribution: false,
      sublicensing: false,
      approvalRequired: false,
      derivatives: licensing.Derivatives.Forbidden,
      shareAlike: false,
      derivativeShareBps: 0,
      upfrontFee: 0n,
      freeUnits: 0n,
      caps: { totalUnits: null, dailyUnits: null, licenseeUnits: null, revenue: null },
      validFrom: 0n,
      expiresAt: none(),
      noticeSeconds: 0,
      legalDigest: new Uint8Array(32),
      uses: uses.map((use) => ({ licensedUse: USES[use], unit: licensing.Unit.Generation, price })),
      operators: [],
      legalUri: '',
    },
  });
  await chain.send(creator.signer, [instruction]);
  return terms;
}

async function open(
  chain: Chain,
  parts: { payer: TestKey; voucherAddress: string; operator: TestKey; deposit: bigint },
): Promise<Address> {
  const { payer, voucherAddress, operator, deposit } = parts;
  const [config] = await licensing.findConfigPda();
  const [operatorAccount] = await payments.findOperatorPda({ authority: operator.signer.address });
  const parties = { payer: payer.signer.address, operator: operator.signer.address, mint: chain.mint, salt: 0n };
  const [channel] = await payments.findChannelPda(parties);
  await chain.send(operator.signer, [
    await payments.getRegisterOperatorInstructionAsync({
      funder: operator.signer,
      authority: operator.signer,
      settleKey: operator.signer.address,
      receiptKey: operator.signer.address,
      terms: { feeBps: FEE_BPS, minGraceSeconds: 3_600, feeOwner: operator.signer.address, url: '' },
    }),
    await payments.getCreateVaultInstructionAsync({ funder: operator.signer, mint: chain.mint }),
  ]);
  await chain.send(payer.signer, [
    await payments.getOpenChannelInstructionAsync({
      payer: payer.signer,
      operator: operatorAccount,
      mint: chain.mint,
      payerTokens: await chain.tokensOf(payer.signer.address),
      channel,
      config,
      salt: 0n,
      voucherKey: address(voucherAddress),
      operatorFeeBps: FEE_BPS,
      graceSeconds: 3_600,
      deposit,
      watcher: none(),
    }),
  ]);
  return channel;
}

async function accept(
  chain: Chain,
  parts: { payer: TestKey; work: Address; terms: Address; channel: Address; use: Use; price: bigint },
): Promise<void> {
  const { payer, work, terms, channel, use, price } = parts;
  const instruction = payments.getAcceptTermsInstruction({
    payer: payer.signer,
    channel,
    work,
    terms,
    licensedUse: USES[use] as unknown as payments.Use,
    maxPrice: price,
    termsDigest: new Uint8Array(
      createHash('sha256')
        .update(Uint8Array.from(chain.account(terms).data))
        .digest(),
    ),
    units: 0n,
    revenue: 0n,
    minExpiresAt: ANY_TIME,
  });
  await chain.send(payer.signer, [instruction]);
}
