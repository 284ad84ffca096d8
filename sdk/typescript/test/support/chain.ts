import { readFileSync } from 'node:fs';

import {
  address,
  appendTransactionMessageInstructions,
  createTransactionMessage,
  generateKeyPairSigner,
  getAddressEncoder,
  getBase58Decoder,
  getProgramDerivedAddress,
  lamports,
  pipe,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
  type Address,
  type EncodedAccount,
  type Instruction,
  type KeyPairSigner,
} from '@solana/kit';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';

import { licensing, payments } from '@motif/sdk/programs';

const FINAL_LOADER = address('BPFLoader2111111111111111111111111111111111');
export const TOKEN_PROGRAM = address('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA');
const ASSOCIATED_TOKEN = address('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL');
export const SYSTEM_PROGRAM = address('11111111111111111111111111111111');
const ARTIFACTS = new URL('../../../../programs/artifacts/', import.meta.url);
const RENT = lamports(10_000_000n);

/** A Solana network in this process, with both programs from the committed bytecode. */
export class Chain {
  readonly svm = new LiteSVM();
  readonly mint: Address;

  private constructor(mint: Address) {
    this.mint = mint;
    for (const [name, id] of [
      ['licensing', licensing.LICENSING_PROGRAM_ADDRESS],
      ['payments', payments.PAYMENTS_PROGRAM_ADDRESS],
    ] as const) {
      // The programs can be initialized by any key if they can never be upgraded.
      this.svm.addProgramWithLoader(id, readFileSync(new URL(`${name}.so`, ARTIFACTS)), FINAL_LOADER);
    }
  }

  /** Starts a network whose licensing program is initialized by `authority`. */
  static async start(authority: KeyPairSigner): Promise<Chain> {
    const chain = new Chain((await generateKeyPairSigner()).address);
    chain.fund(authority.address);
    // Mint: authority (tag, key), supply, decimals, whether initialized, freeze authority (tag, key).
    const mint = new Uint8Array(82);
    mint.set([6, 1], 44);
    chain.set(chain.mint, TOKEN_PROGRAM, mint);
    await chain.send(authority, [
      await licensing.getInitializeInstructionAsync({
        authority,
        programData: licensing.LICENSING_PROGRAM_ADDRESS,
        cluster: new Uint8Array(32).fill(7),
        arbiter: authority.address,
        disputeBondLamports: 10_000_000n,
        disputeSeconds: 86_400 * 7,
      }),
    ]);
    return chain;
  }

  fund(owner: Address): void {
    this.svm.airdrop(owner, lamports(10_000_000_000n));
  }

  /** Creates the owner's token account with an amount. */
  async mintTo(owner: Address, amount: bigint): Promise<Address> {
    const tokens = await this.tokensOf(owner);
    const data = new Uint8Array(165);
    const encoder = getAddressEncoder();
    data.set(encoder.encode(this.mint), 0);
    data.set(encoder.encode(owner), 32);
    new DataView(data.buffer).setBigUint64(64, amount, true);
    data[108] = 1; // initialized
    this.set(tokens, TOKEN_PROGRAM, data);
    return tokens;
  }

  async tokensOf(owner: Address): Promise<Address> {
    const encoder = getAddressEncoder();
    const seeds = [owner, TOKEN_PROGRAM, this.mint].map((seed) => encoder.encode(seed));
    return (await getProgramDerivedAddress({ programAddress: ASSOCIATED_TOKEN, seeds }))[0];
  }

  /** Returns the balance of the owner's token account, base units. */
  async balance(owner: Address): Promise<bigint> {
    const account = this.account(await this.tokensOf(owner));
    return new DataView(account.data.buffer, account.data.byteOffset).getBigUint64(64, true);
  }

  account(at: Address): EncodedAccount {
    const account = this.svm.getAccount(at);
    if (!account.exists) throw new Error(`there is no account at ${at}`);
    return account;
  }

  /** Sends a transaction; returns its number of compute units. Throws what a program says. */
  async send(payer: KeyPairSigner, instructions: readonly Instruction[]): Promise<bigint> {
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (one) => setTransactionMessageFeePayerSigner(payer, one),
      (one) => this.svm.setTransactionMessageLifetimeUsingLatestBlockhash(one),
      (one) => appendTransactionMessageInstructions(instructions, one),
    );
    const sent = this.svm.sendTransaction(await signTransactionMessageWithSigners(message));
    this.svm.expireBlockhash();
    if (sent instanceof FailedTransactionMetadata) {
      throw new Error(`${sent.err()}\n${sent.meta().logs().join('\n')}`);
    }
    return sent.computeUnitsConsumed();
  }

  private set(at: Address, programAddress: Address, data: Uint8Array): void {
    this.svm.setAccount({
      address: at,
      programAddress,
      data,
      executable: false,
      lamports: RENT,
      space: BigInt(data.length),
    });
  }
}

export const base58 = (bytes: Uint8Array): string => getBase58Decoder().decode(bytes);
