// @x402/express, selling through the facilitator at MOTIF_FACILITATOR, for the till at MOTIF_TILL.
import { HTTPFacilitatorClient } from '@x402/core/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { ExactSvmScheme } from '@x402/svm/exact/server';
import express from 'express';

const network = process.env.MOTIF_NETWORK ?? 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
const facilitator = new HTTPFacilitatorClient({ url: process.env.MOTIF_FACILITATOR });
const server = new x402ResourceServer(facilitator).register(network, new ExactSvmScheme());
const price = { asset: process.env.MOTIF_MINT, amount: process.env.MOTIF_AMOUNT };
const accepts = { scheme: 'exact', price, network, payTo: process.env.MOTIF_TILL };

const app = express();
app.use(paymentMiddleware({ 'POST /poems': { accepts, description: 'A poem' } }, server));
app.post('/poems', (_, response) => response.type('text/plain').send('Roses are red'));
const listener = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${listener.address().port}/poems` }));
});
