// @x402/axios, x402 v2, default settings.
import { wrapAxiosWithPayment, x402Client } from '@x402/axios';
import { ExactSvmScheme } from '@x402/svm/exact/client';
import axios from 'axios';

import { body, report, request, rpcUrl, signer, url } from './buyer.mjs';

const client = new x402Client().register('solana:*', new ExactSvmScheme(signer, { rpcUrl }));
const http = wrapAxiosWithPayment(axios.create({ responseType: 'arraybuffer' }), client);
const response = await http.post(url, body, { headers: request.headers });
report(response.status, new Uint8Array(response.data), (name) => response.headers[name]);
