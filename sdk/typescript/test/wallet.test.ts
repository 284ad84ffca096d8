import {
  AccountRole,
  address,
  appendTransactionMessageInstruction,
  createTransactionMessage,
  generateKeyPairSigner,
  getAddressEncoder,
  lamports,
  pipe,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
  type Instruction,
  type KeyPairSigner,
} from '@solana/kit';
import 'fake-indexeddb/auto';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { beforeEach, expect, test } from 'vitest';

import { connectWallet, createWalletSigner, deleteSessionKey, sessionSigner, supportsSolana } from '@motif/sdk/wallet';

import { SYSTEM_PROGRAM } from './support/chain.js';
import { TestWallet, type Tamper } from './support/test-wallet.js';

const CHAIN = 'solana:localnet';
let svm: LiteSVM;
let key: KeyPairSigner;

beforeEach(async () => {
  svm = new LiteSVM();
  key = await generateKeyPairSigner();
  svm.airdrop(key.address, lamports(1_000_000_000n));
});

async function transfer(tamper?: Tamper) {
  const publicKey = Uint8Array.from(getAddressEncoder().encode(key.address));
  const wallet = new TestWallet(key, publicKey, tamper);
  expect(supportsSolana(wallet, CHAIN)).toBe(true);
  const [account] = await connectWallet(wallet);
  const payee = (await generateKeyPairSigner()).address;
  const data = new DataView(new ArrayBuffer(12));
  data.setUint32(0, 2, true); // the system program's transfer
  data.setBigUint64(4, 5_000_000n, true);
  const instruction: Instruction = {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: key.address, role: AccountRole.WRITABLE_SIGNER },
      { address: payee, role: AccountRole.WRITABLE },
    ],
    data: new Uint8Array(data.buffer),
  };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (one) => setTransactionMessageFeePayerSigner(createWalletSigner(wallet, account!, CHAIN), one),
    (one) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(one),
    (one) => appendTransactionMessageInstruction(instruction, one),
  );
  const sent = svm.sendTransaction(await signTransactionMessageWithSigners(message));
  return { failed: sent instanceof FailedTransactionMetadata, paid: svm.getBalance(payee) };
}

test('wallet signs a transaction that lands', async () => {
  expect(await transfer()).toEqual({ failed: false, paid: 5_000_000n });
});

test('wallet may add an instruction', async () => {
  const computeBudget = address('ComputeBudget111111111111111111111111111111');
  const tamper: Tamper = (message) => {
    if (message.version !== 0) throw new Error('expected version 0');
    const price = {
      programAddressIndex: message.staticAccounts.length,
      data: Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0, 0),
    };
    const { header } = message;
    return {
      ...message,
      header: { ...header, numReadonlyNonSignerAccounts: header.numReadonlyNonSignerAccounts + 1 },
      staticAccounts: [...message.staticAccounts, computeBudget],
      instructions: [price, ...message.instructions],
    };
  };
  expect(await transfer(tamper)).toEqual({ failed: false, paid: 5_000_000n });
});

test('changed amount is refused', async () => {
  const tamper: Tamper = (message) => {
    if (message.version !== 0) throw new Error('expected version 0');
    const [own] = message.instructions;
    const data = Uint8Array.from(own?.data ?? []);
    data[4]! ^= 1;
    return { ...message, instructions: [{ ...own!, data }] };
  };
  await expect(transfer(tamper)).rejects.toMatchObject({ type: 'signer-failed' });
});

test('removed instruction is refused', async () => {
  const tamper: Tamper = (message) => {
    if (message.version !== 0) throw new Error('expected version 0');
    return { ...message, instructions: [] };
  };
  await expect(transfer(tamper)).rejects.toMatchObject({ type: 'signer-failed' });
});

test('session key survives a reload and is deleted', async () => {
  const [first, again] = [await sessionSigner('payer'), await sessionSigner('payer')];
  expect(again.address).toBe(first.address);
  expect(await again.sign(Uint8Array.of(1))).toHaveLength(64);
  expect((await sessionSigner('another')).address).not.toBe(first.address);
  await deleteSessionKey('payer');
  expect((await sessionSigner('payer')).address).not.toBe(first.address);
});
