// The walkthrough of the project's README against `motif localnet`, in TypeScript: amounts are asserted on chain.
import { readFile } from 'node:fs/promises';

import { createKeyPairSignerFromBytes, type KeyPairSigner } from '@solana/kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  Core,
  Payer,
  RpcReader,
  proveReceipt,
  sha256,
  type AccountJson,
  type CallName,
  type Calls,
  type Receipt,
} from '@motif/sdk';
import { fileState, keypairSigner, readKeypairFile } from '@motif/sdk/node';
import { ChannelClient, toKitInstructions } from '@motif/sdk/programs';

import { HAS_BINARY, Localnet, MODEL, PICTURE } from './support/localnet.js';
import { send } from './support/send.js';

const FEE_BPS = 200;
const GRACE_SECONDS = 3_600;

describe.skipIf(!HAS_BINARY)('walkthrough', () => {
  let localnet: Localnet;
  let core: Core;
  let chain: RpcReader;
  let mint: string;
  let operator: string;
  let people: Record<'ines' | 'kofi' | 'platform', KeyPairSigner>;
  let picture: string;
  let model: string;
  let channel: string;
  let receipts: readonly Receipt[];

  beforeAll(async () => {
    localnet = await Localnet.start(['ines', 'kofi', 'platform', 'voucher', 'gateway']);
    const served = await localnet.serve();
    operator = String(served['operator']);
    core = await Core.load();
    chain = new RpcReader(localnet.rpcUrl);
    mint = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU';
    const signer = async (name: string) => {
      return createKeyPairSignerFromBytes(await readKeypairFile(localnet.path(`${name}.json`)));
    };
    const [ines, kofi, platform] = await Promise.all(['ines', 'kofi', 'platform'].map(signer));
    people = { ines: ines!, kofi: kofi!, platform: platform! };
  });
  afterAll(() => localnet?.stop());

  /** Sends instructions of the rules in one transaction. */
  type InstructionName = Extract<CallName, `instruction.${string}`>;
  async function execute(signer: KeyPairSigner, ...calls: [InstructionName, Calls[InstructionName]['input']][]) {
    const instructions = calls.flatMap(([name, input]) => toKitInstructions(core.call(name, input), [signer]));
    await send(localnet.rpcUrl, signer, instructions);
  }

  async function data(address: string): Promise<Uint8Array<ArrayBuffer>> {
    const account = await chain.readAccount(address);
    if (!account) throw new Error(`there is no account at ${address}`);
    return account.data;
  }

  async function decode<Kind extends AccountJson['kind']>(address: string, kind: Kind) {
    const decoded = core.call('account.decode', {}, await data(address));
    expect(decoded.kind).toBe(kind);
    return decoded as Extract<AccountJson, { kind: Kind }>;
  }

  async function balance(owner: KeyPairSigner): Promise<bigint> {
    const { address } = core.call('address.tokens', { owner: owner.address, mint });
    return BigInt(core.call('token.amount', {}, await data(address)).amount);
  }

  test('creators register works and publish terms', async () => {
    const { ines, kofi } = people;
    const digest = async (file: URL) => sha256(new Uint8Array(await readFile(file)));
    const half = (one: KeyPairSigner) => ({ recipient: one.address as string, share_bps: 5_000 });
    const picture_digest = await digest(PICTURE);
    picture = core.call('address.work', { creator: ines.address, content_digest: picture_digest }).address;
    await execute(
      ines,
      [
        'instruction.register_work',
        {
          creator: ines.address,
          registration: { kind: 'image', content_digest: picture_digest, split: [half(ines), half(kofi)] },
        },
      ],
      [
        'instruction.publish_terms',
        {
          owner: ines.address,
          work: picture,
          latest_terms: 0,
          currency: mint,
          offer: {
            uses: [{ use: 'style-transfer', unit: 'generation', price: '2000' }],
            derivatives: 'allowed',
            derivative_share_bps: 2_000,
          },
        },
      ],
    );
    const model_digest = await digest(MODEL);
    model = core.call('address.work', { creator: kofi.address, content_digest: model_digest }).address;
    await execute(
      kofi,
      [
        'instruction.register_work',
        {
          creator: kofi.address,
          registration: {
            kind: 'style-model',
            content_digest: model_digest,
            model: { base_model: 'stable-diffusion-xl', training_root: picture_digest, likeness: false },
            parents: [{ work: picture, share_bps: 2_000, right: { terms: 1 } }],
          },
        },
      ],
      [
        'instruction.publish_terms',
        {
          owner: kofi.address,
          work: model,
          latest_terms: 0,
          currency: mint,
          offer: { uses: [{ use: 'generate', unit: 'generation', price: '1000' }] },
        },
      ],
    );
    const { work } = await decode(model, 'work');
    expect(work.parents.map((parent) => [parent.work, parent.share_bps])).toEqual([[picture, 2_000]]);
  });

  test('platform opens a channel and accepts the terms', async () => {
    const { platform } = people;
    const voucherKey = (await keypairSigner(localnet.path('voucher.json'))).address;
    const before = await balance(platform);
    const client = await ChannelClient.open({ rpc: chain, signer: platform, core });
    const request = { operator, currency: mint, deposit: 4_000_000n, voucherKey, graceSeconds: GRACE_SECONDS };
    channel = await client.openChannel(request);
    await expect(client.accept(channel, model, { maxPrice: 999n })).rejects.toMatchObject({
      type: 'transaction-failed',
    });
    expect(await client.accept(channel, model, { maxPrice: 1_000n })).toBe(0);
    await client.topUp(channel, 1_000_000n);
    expect(before - (await balance(platform))).toBe(5_000_000n);
    const decoded = await decode(channel, 'channel');
    expect(decoded.licenses.map(({ work, price }) => [work, price])).toEqual([[model, '1000']]);
    expect(decoded.channel.operator_fee_bps).toBe(FEE_BPS);
    // The next channel has the next salt, and can be closed without the operator.
    const second = await client.openChannel({ ...request, deposit: 1n });
    expect(second).toBe(core.call('address.channel', { payer: platform.address, operator, mint, salt: '1' }).address);
    await client.requestClose(second);
    expect((await decode(second, 'channel')).channel.payer_closes).toBe(true);
    await expect(client.withdraw(second)).rejects.toMatchObject({ type: 'transaction-failed' });
    const rich = client.openChannel({ ...request, deposit: 10n ** 15n });
    await expect(rich).rejects.toMatchObject({ type: 'transaction-failed' });
    const nowhere = client.accept(channel, platform.address, { maxPrice: 1_000n });
    await expect(nowhere).rejects.toMatchObject({ type: 'account-not-found' });
    const own = client.openChannel({ ...request, voucherKey: platform.address });
    await expect(own).rejects.toMatchObject({ type: 'invalid-input' });
  });

  test('hundred generations are paid concurrently and settled', async () => {
    const payer = await Payer.open({
      gateway: localnet.gatewayUrl,
      rpc: localnet.rpcUrl,
      channel,
      signer: await keypairSigner(localnet.path('voucher.json')),
      state: fileState(localnet.path('payer.state')),
      budget: 102_000n,
    });
    const paying = Array.from({ length: 100 }, async (_, number) => {
      const [requestDigest, outputDigest] = [await sha256(`request ${number}`), await sha256(`output ${number}`)];
      return payer.generate({ license: 0, units: 1, requestDigest, outputDigest });
    });
    receipts = await Promise.all(paying);
    expect(payer.spent).toBe(102_000n);
    const digest = await sha256('one more');
    const more = payer.generate({ license: 0, units: 1, requestDigest: digest, outputDigest: digest });
    await expect(more).rejects.toMatchObject({ type: 'over-budget', budget: 102_000n });
    expect(payer.receipts()).toHaveLength(100);
    await payer.settle();
    await payer.refresh();
    await payer.close();
    const settled = await decode(channel, 'channel');
    expect([settled.channel.cumulative, settled.channel.statements]).toEqual(['102000', 1]);
  });

  test('every receipt is proved from the chain', async () => {
    const options = { gateway: localnet.gatewayUrl, rpc: chain, core };
    for (const receipt of receipts) await proveReceipt(receipt, options);
    const [receipt, other] = receipts as [Receipt, Receipt];
    for (const forged of [
      { ...receipt, amount: '999' },
      { ...receipt, signature: other.signature },
      { ...other, digest: receipt.digest },
    ]) {
      await expect(proveReceipt(forged, options)).rejects.toMatchObject({ type: 'proof-invalid' });
    }
  });

  test('recipients are paid to the unit', async () => {
    const { ines, kofi, platform } = people;
    const before = { ines: await balance(ines), kofi: await balance(kofi) };
    const claim = (
      work: string,
      recipients: KeyPairSigner[],
    ): ['instruction.claim', Calls['instruction.claim']['input']] => {
      return [
        'instruction.claim',
        { work, mint, recipients: recipients.map((one, position) => ({ position, recipient: one.address })) },
      ];
    };
    await execute(
      platform,
      ['instruction.open_earnings', { funder: platform.address, work: model, mint }],
      ['instruction.open_earnings', { funder: platform.address, work: picture, mint }],
    );
    await execute(
      platform,
      ['instruction.collect', { channel, mint, licenses: [{ index: 0, work: model }] }],
      ['instruction.pull', { child: model, parent: picture, mint }],
      claim(picture, [ines, kofi]),
      claim(model, [kofi]),
    );
    expect((await balance(ines)) - before.ines).toBe(10_000n);
    expect((await balance(kofi)) - before.kofi).toBe(90_000n);
    const earned = async (work: string) => decode(core.call('address.earnings', { work, mint }).address, 'earnings');
    const [ofPicture, ofModel] = [await earned(picture), await earned(model)];
    expect([ofPicture.earnings.earned, ofPicture.recipients.map((part) => part.taken)]).toEqual([
      '20000',
      ['10000', '10000'],
    ]);
    expect([ofModel.earnings.earned, ofModel.parents.map((part) => part.taken)]).toEqual(['100000', ['20000']]);
    expect(ofModel.recipients.map((part) => part.taken)).toEqual(['80000']);
  });

  test('channel closes and returns the rest', async () => {
    const { platform } = people;
    const before = await balance(platform);
    await execute(platform, ['instruction.request_close', { caller: platform.address, channel }]);
    const payer = await Payer.open({
      gateway: localnet.gatewayUrl,
      rpc: localnet.rpcUrl,
      channel,
      signer: await keypairSigner(localnet.path('voucher.json')),
      state: fileState(localnet.path('payer.state')),
    });
    await payer.closeChannel();
    await payer.close();
    await (await ChannelClient.open({ rpc: chain, signer: platform, core })).withdraw(channel);
    expect((await balance(platform)) - before).toBe(5_000_000n - 102_000n);
  });
});
