// @x402/fetch, x402 v2, default settings: buys once, then sends the same payment again, one request after the other and
// several at once.
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmScheme } from '@x402/svm/exact/client';

import { request, rpcUrl, signer, url } from './buyer.mjs';

let payment;
const recording = async (input, init) => {
  const sent = new Headers(init?.headers ?? input.headers);
  payment = sent.get('payment-signature') ?? payment;
  return fetch(input, init);
};
const client = new x402Client().register('solana:*', new ExactSvmScheme(signer, { rpcUrl }));
const bought = await wrapFetchWithPayment(recording, client)(url, request);
const headers = { ...request.headers, 'payment-signature': payment };
const again = async () => (await fetch(url, { ...request, headers })).status;
const statuses = [bought.status, await again(), await again()];
statuses.push(...(await Promise.all([again(), again(), again()])));
console.log(JSON.stringify({ statuses }));
