/**
 * Checks and receipts for buyers by x402, who pay single answers without a channel.
 *
 * To pay through a channel instead, put `wrapFetchWithMotif` inside: a 402 that it pays never reaches x402.
 *
 * ```ts
 * const client = new x402Client().register('solana:*', new MotifScheme(new ExactSvmScheme(signer), { maxPrice: 20_400n }));
 * const fetchWithPayment = wrapFetchWithPayment(fetch, client);
 * ```
 *
 * @packageDocumentation
 */

export { MotifScheme, type MotifSchemeOptions } from './scheme.js';
export { verifySale, type SaleOptions } from './sale.js';
