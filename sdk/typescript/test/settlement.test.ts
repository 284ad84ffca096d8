// A voucher's way to the creator's account, on a network in this process: amounts are asserted to the unit.
import { beforeAll, expect, test } from 'vitest';

import type { CallName, Calls, Voucher } from '@motif/sdk';
import { toKitInstructions } from '@motif/sdk/programs';

import type { TestKey } from './support/keys.js';
import { World } from './support/world.js';

const DEPOSIT = 1_000_000n;
const UNITS = 7;
const PRICE = 333n;
const PRICES = 2_331n; // 7 x 333
const FEE = 46n; // 2 % of the prices, rounded down

type InstructionName = Extract<CallName, `instruction.${string}`>;
let world: World;

beforeAll(async () => {
  world = await World.start({ price: PRICE, deposit: DEPOSIT });
});

function send(signer: TestKey, ...calls: [InstructionName, Calls[InstructionName]['input']][]): Promise<bigint> {
  const instructions = calls.flatMap(([name, input]) =>
    toKitInstructions(world.core.call(name, input), [signer.signer]),
  );
  return world.chain.send(signer.signer, instructions);
}

function channel() {
  const decoded = world.core.call('account.decode', {}, world.account(world.channel));
  if (decoded.kind !== 'channel') throw new Error('not a channel');
  return decoded;
}

/** Signs a voucher for units of the first license. */
function sign(key: TestKey, units: number, cumulative: bigint): { voucher: Voucher; statement: string } {
  const { cluster, opened_slot, statements } = channel().channel;
  const { bytes: statement, digest } = world.core.call('statement.digest', { entries: [{ license: 0, units }] });
  const unsigned = {
    cluster,
    channel: world.channel as string,
    opened_slot,
    statement: statements,
    cumulative: String(cumulative),
    statement_digest: digest,
    expires_at: 4_000_000_000,
  };
  const { bytes } = world.core.call('voucher.bytes', { voucher: unsigned });
  return { voucher: { ...unsigned, signature: key.sign(bytes) }, statement };
}

function settle({ voucher, statement }: ReturnType<typeof sign>): Promise<bigint> {
  const { operator, voucherKey } = world;
  const settler = operator.address;
  const input = { settler, operator: settler, voucher, voucher_key: voucherKey.address, statement };
  return send(operator, ['instruction.settle', input]);
}

test('voucher of another key or amount does not settle', async () => {
  await expect(settle(sign(world.payer, UNITS, PRICES + FEE))).rejects.toThrow();
  await expect(settle(sign(world.voucherKey, UNITS, PRICES + FEE + 1n))).rejects.toThrow();
  const good = sign(world.voucherKey, UNITS, PRICES + FEE);
  const raised = { ...good.voucher, cumulative: String(PRICES + FEE + 1n) };
  await expect(settle({ ...good, voucher: raised })).rejects.toThrow();
  expect(channel().channel.statements).toBe(0);
});

test('voucher settles once', async () => {
  const signed = sign(world.voucherKey, UNITS, PRICES + FEE);
  const computeUnits = await settle(signed);
  expect(computeUnits).toBeLessThan(60_000n);
  const { channel: settled, licenses } = channel();
  expect([settled.cumulative, settled.statements]).toEqual([String(PRICES + FEE), 1]);
  expect([licenses[0]?.units, licenses[0]?.settled]).toEqual([String(UNITS), String(PRICES)]);
  await expect(settle(signed)).rejects.toThrow('VoucherStatementMismatch');
});

test('creator and operator are paid to the unit', async () => {
  const { creator, operator, payer, work, chain } = world;
  const { mint } = chain;
  const parties = { channel: world.channel as string, mint: mint as string };
  await send(
    payer,
    ['instruction.open_earnings', { funder: payer.address, work, mint }],
    ['instruction.collect', { ...parties, licenses: [{ index: 0, work }] }],
    ['instruction.create_tokens', { funder: payer.address, owner: creator.address, mint }],
    ['instruction.create_tokens', { funder: payer.address, owner: operator.address, mint }],
    ['instruction.claim', { work, mint, recipients: [{ position: 0, recipient: creator.address }] }],
    ['instruction.claim_fees', { ...parties, operator: operator.address, fee_owner: operator.address }],
  );
  expect(await chain.balance(creator.signer.address)).toBe(PRICES);
  expect(await chain.balance(operator.signer.address)).toBe(FEE);
  const again = { work, mint, recipients: [{ position: 0, recipient: creator.address }] };
  await expect(send(payer, ['instruction.claim', again])).rejects.toThrow('NothingToClaim');
});

test('payer withdraws the rest after the grace period', async () => {
  const { payer, chain } = world;
  const parties = { channel: world.channel as string, mint: chain.mint as string };
  const withdraw = ['instruction.withdraw', { payer: payer.address, ...parties }] as const;
  await send(payer, ['instruction.request_close', { caller: payer.address, channel: parties.channel }]);
  await expect(send(payer, [...withdraw])).rejects.toThrow();
  const clock = chain.svm.getClock();
  clock.unixTimestamp += 3_601n;
  clock.slot += 36_010n;
  chain.svm.setClock(clock);
  await send(payer, [...withdraw]);
  expect(await chain.balance(payer.signer.address)).toBe(DEPOSIT - PRICES - FEE);
});
