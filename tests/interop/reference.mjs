// @x402/express with the reference facilitator, and a client with presigned payments, all in this process. Prints the
// paid requests a second. tests/benches/sales.rs runs it.
//
// MOTIF_RPC_URL is the network, MOTIF_WALLET and MOTIF_FEE_PAYER are keypair files, MOTIF_TILL, MOTIF_MINT and
// MOTIF_AMOUNT the payment, MOTIF_COUNT the number of requests, MOTIF_CONCURRENT how many are in flight.
import { readFile } from 'node:fs/promises';

import { createKeyPairSignerFromBytes } from '@solana/kit';
import { x402Client } from '@x402/core/client';
import { x402Facilitator } from '@x402/core/facilitator';
import { decodePaymentRequiredHeader, encodePaymentSignatureHeader } from '@x402/core/http';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { toFacilitatorSvmSigner } from '@x402/svm';
import { ExactSvmScheme as ClientScheme } from '@x402/svm/exact/client';
import { registerExactSvmScheme } from '@x402/svm/exact/facilitator';
import { ExactSvmScheme } from '@x402/svm/exact/server';
import express from 'express';

const { MOTIF_RPC_URL: rpcUrl, MOTIF_TILL: payTo, MOTIF_MINT: asset, MOTIF_AMOUNT: amount } = process.env;
const [count, concurrent] = [process.env.MOTIF_COUNT, process.env.MOTIF_CONCURRENT].map(Number);
const networks = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
const signer = async (file) =>
  createKeyPairSignerFromBytes(Uint8Array.from(JSON.parse(await readFile(file, 'utf8'))));

// The seller calls its facilitator in this process: over HTTP it is slower.
const feePayer = toFacilitatorSvmSigner(await signer(process.env.MOTIF_FEE_PAYER), { defaultRpcUrl: rpcUrl });
const facilitator = registerExactSvmScheme(new x402Facilitator(), { signer: feePayer, networks });
const server = new x402ResourceServer(facilitator).register(networks, new ExactSvmScheme());
const accepts = { scheme: 'exact', price: { asset, amount }, network: networks, payTo };
const app = express();
app.use(paymentMiddleware({ 'POST /poems': { accepts, description: 'A poem' } }, server));
app.post('/poems', (_, response) => response.type('text/plain').send('Roses are red'));
const listener = await new Promise((resolve) => {
  const started = app.listen(0, '127.0.0.1', () => resolve(started));
});
const url = `http://127.0.0.1:${listener.address().port}/poems`;

const scheme = new ClientScheme(await signer(process.env.MOTIF_WALLET), { rpcUrl });
const client = new x402Client().register('solana:*', scheme);
const unpaid = await fetch(url, { method: 'POST' });
const offer = decodePaymentRequiredHeader(unpaid.headers.get('payment-required'));
await unpaid.arrayBuffer();
const payments = [];
for (let number = 0; number < count; number += 1) {
  payments.push(encodePaymentSignatureHeader(await client.createPaymentPayload(offer)));
}

let [next, paid] = [0, 0];
const buy = async () => {
  while (next < count) {
    const headers = { 'payment-signature': payments[next] };
    next += 1;
    const response = await fetch(url, { method: 'POST', headers });
    await response.arrayBuffer();
    paid += Number(response.status === 200 && response.headers.has('payment-response'));
  }
};
const begun = performance.now();
await Promise.all(Array.from({ length: concurrent }, buy));
console.log(JSON.stringify({ paid, seconds: (performance.now() - begun) / 1_000 }));
process.exit(0);
