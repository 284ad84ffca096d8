// @x402/extensions, sign-in-with-x: buys with @x402/fetch, then fetches the same answer again without a payment.
import { createHash } from 'node:crypto';

import { wrapFetchWithSIWx } from '@x402/extensions/sign-in-with-x';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmScheme } from '@x402/svm/exact/client';

import { request, rpcUrl, signer, url } from './buyer.mjs';

const digest = async (response) =>
  createHash('sha256').update(new Uint8Array(await response.arrayBuffer())).digest('hex');

const client = new x402Client().register('solana:*', new ExactSvmScheme(signer, { rpcUrl }));
const bought = await wrapFetchWithPayment(fetch, client)(url, request);
const again = await wrapFetchWithSIWx(fetch, signer)(url, request);
const other = await wrapFetchWithSIWx(fetch, signer)(url, { ...request, body: '{"prompt":"another"}' });
console.log(
  JSON.stringify({
    statuses: [bought.status, again.status, other.status],
    same: (await digest(bought)) === (await digest(again)),
    receipt: again.headers.get('motif-receipt') !== null,
  }),
);
