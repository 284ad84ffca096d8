// mppx with @solana/mpp, MPP solana/charge, default settings.
import { Mppx, solana } from '@solana/mpp/client';

import { reportResponse, request, rpcUrl, signer, url } from './buyer.mjs';

const mppx = Mppx.create({ methods: [solana.charge({ signer, rpcUrl })], polyfill: false });
await reportResponse(await mppx.fetch(url, request));
