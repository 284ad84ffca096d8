// @x402/extensions, offer-receipt: buys with @x402/fetch, then verifies the receipt's signature, and that the receipt
// matches the offer. The offers of a 402 are not signed: the offer is put together of what the 402 states.
import { decodePaymentRequiredHeader } from '@x402/core/http';
import {
  extractReceiptFromResponse,
  verifyReceiptMatchesOffer,
  verifyReceiptSignatureJWS,
} from '@x402/extensions/offer-receipt';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmScheme } from '@x402/svm/exact/client';

import { request, rpcUrl, signer, url } from './buyer.mjs';

const unpaid = await fetch(url, request);
const { resource, accepts } = decodePaymentRequiredHeader(unpaid.headers.get('payment-required'));
const offer = { resourceUrl: resource.url, ...accepts[0] };
const client = new x402Client().register('solana:*', new ExactSvmScheme(signer, { rpcUrl }));
const receipt = extractReceiptFromResponse(await wrapFetchWithPayment(fetch, client)(url, request));
const verifies = (signature) =>
  verifyReceiptSignatureJWS({ ...receipt, signature }).then(
    () => true,
    () => false,
  );

// One character of the header, of what is signed, and of the signature.
const parts = receipt.signature.split('.').map((part) => part.length);
const places = [10, parts[0] + 20, parts[0] + parts[1] + 20];
const forged = places.map((place) => {
  const other = receipt.signature[place] === 'A' ? 'B' : 'A';
  return receipt.signature.slice(0, place) + other + receipt.signature.slice(place + 1);
});
console.log(
  JSON.stringify({
    verified: await verifies(receipt.signature),
    forged: await Promise.all(forged.map(verifies)),
    matches: verifyReceiptMatchesOffer(receipt, offer, [signer.address]),
    other: verifyReceiptMatchesOffer(receipt, offer, [offer.payTo]),
  }),
);
