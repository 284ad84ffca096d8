// What every buyer script needs: the wallet, the request, and one line of JSON about the outcome.
//
// MOTIF_URL is the paid URL, MOTIF_RPC_URL the network, MOTIF_WALLET a keypair file of the Solana command line,
// MOTIF_BODY the JSON to send.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { createKeyPairSignerFromBytes } from '@solana/kit';

export const url = process.env.MOTIF_URL;
export const rpcUrl = process.env.MOTIF_RPC_URL;
export const body = process.env.MOTIF_BODY ?? '{"prompt":"New York, same style"}';

export const signer = await createKeyPairSignerFromBytes(
  Uint8Array.from(JSON.parse(await readFile(process.env.MOTIF_WALLET, 'utf8'))),
);

export const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };

/** Prints the status, the digest of the answer, and the headers that a receipt is in. */
export function report(status, bytes, header) {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const names = ['content-type', 'payment-response', 'x-payment-response', 'payment-receipt', 'motif-receipt'];
  const headers = Object.fromEntries(names.map((name) => [name, header(name) ?? null]));
  console.log(JSON.stringify({ status, digest, length: bytes.length, headers, payer: signer.address }));
}

/** Reports a response of `fetch`. */
export async function reportResponse(response) {
  const bytes = new Uint8Array(await response.arrayBuffer());
  report(response.status, bytes, (name) => response.headers.get(name));
}
