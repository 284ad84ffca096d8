// Airdrops, sends and confirms one transfer with @solana/kit, confirmations over websocket.
// Prints the transfer's signature and nothing else; exits non-zero with the reason otherwise.
//
//     MOTIF_RPC_URL=http://127.0.0.1:8899 MOTIF_WS_URL=ws://127.0.0.1:8900 node send.mjs

import {
  AccountRole,
  address,
  airdropFactory,
  appendTransactionMessageInstruction,
  assertIsTransactionWithBlockhashLifetime,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  generateKeyPairSigner,
  getSignatureFromTransaction,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit';

const SYSTEM_PROGRAM = address('11111111111111111111111111111111');
const TRANSFER = 2; // index of the system program's instruction
const SOL = 1_000_000_000n;

const { MOTIF_RPC_URL, MOTIF_WS_URL } = process.env;
if (!MOTIF_RPC_URL || !MOTIF_WS_URL) {
  console.error('set MOTIF_RPC_URL and MOTIF_WS_URL to the localnet, as `motif localnet` prints them');
  process.exit(2);
}
const rpc = createSolanaRpc(MOTIF_RPC_URL);
const rpcSubscriptions = createSolanaRpcSubscriptions(MOTIF_WS_URL);

const payer = await generateKeyPairSigner();
const payee = await generateKeyPairSigner();
await airdropFactory({ rpc, rpcSubscriptions })({
  commitment: 'confirmed',
  lamports: lamports(2n * SOL),
  recipientAddress: payer.address,
});

const data = new DataView(new ArrayBuffer(12));
data.setUint32(0, TRANSFER, true);
data.setBigUint64(4, SOL, true);
const transfer = {
  programAddress: SYSTEM_PROGRAM,
  accounts: [
    { address: payer.address, role: AccountRole.WRITABLE_SIGNER, signer: payer },
    { address: payee.address, role: AccountRole.WRITABLE },
  ],
  data: new Uint8Array(data.buffer),
};
const { value: blockhash } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
const transaction = await pipe(
  createTransactionMessage({ version: 0 }),
  (message) => setTransactionMessageFeePayerSigner(payer, message),
  (message) => setTransactionMessageLifetimeUsingBlockhash(blockhash, message),
  (message) => appendTransactionMessageInstruction(transfer, message),
  (message) => signTransactionMessageWithSigners(message),
);
assertIsTransactionWithBlockhashLifetime(transaction);
await sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions })(transaction, { commitment: 'confirmed' });

const { value: balance } = await rpc.getBalance(payee.address, { commitment: 'confirmed' }).send();
if (balance !== SOL) {
  console.error(`the payee has ${balance} lamports, not ${SOL}`);
  process.exit(1);
}
console.log(getSignatureFromTransaction(transaction));
// Open subscriptions would keep the process.
process.exit(0);
