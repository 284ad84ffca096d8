// @x402/fetch, x402 v1: the header of v2 is hidden from it, as a client of v1 alone does not read it.
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmSchemeV1 } from '@x402/svm/exact/v1/client';

import { reportResponse, request, rpcUrl, signer, url } from './buyer.mjs';

const client = new x402Client();
for (const network of ['solana', 'solana-devnet']) {
  client.registerV1(network, new ExactSvmSchemeV1(signer, { rpcUrl }));
}
const fetchV1 = async (...asked) => {
  const response = await fetch(...asked);
  const headers = new Headers(response.headers);
  headers.delete('payment-required');
  return new Response(response.body, { status: response.status, headers });
};
await reportResponse(await wrapFetchWithPayment(fetchV1, client)(url, request));
