// @x402/fetch, x402 v2, default settings.
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmScheme } from '@x402/svm/exact/client';

import { reportResponse, request, rpcUrl, signer, url } from './buyer.mjs';

const client = new x402Client().register('solana:*', new ExactSvmScheme(signer, { rpcUrl }));
await reportResponse(await wrapFetchWithPayment(fetch, client)(url, request));
