/**
 * JSON types of the gateway's interface, as `app/gateway/openapi.json` describes them: addresses are base58, digests and
 * signatures hexadecimal, amounts decimal strings of base units.
 */

import type { components } from './gateway/schema.js';

type Schemas = components['schemas'];

/** Amount in base units of a mint, as a string of decimal digits. */
export type AmountText = Schemas['Amount'];
/** Base58 of 32 bytes. */
export type AddressText = Schemas['Address'];
/** 64 hexadecimal digits. */
export type Digest = Schemas['Digest'];
/** 128 hexadecimal digits. */
export type SignatureHex = Schemas['SignatureHex'];

export type Authentication = Schemas['Authentication'];
export type AuthenticationRequest = Schemas['AuthenticationRequest'];
export type BatchedGeneration = Schemas['BatchedGeneration'];
export type Captured = Schemas['Captured'];
export type ChannelState = Schemas['ChannelState'];
export type Closing = Schemas['Closing'];
export type Due = Schemas['Due'];
export type HoldFacts = Schemas['HoldFacts'];
export type HoldRequest = Schemas['HoldRequest'];
export type LineageFacts = Schemas['LineageFacts'];
export type Operator = Schemas['Operator'];
export type PaidRoutes = Schemas['PaidRoutes'];
export type PayerProof = Schemas['PayerProof'];
export type PriceTag = Schemas['PriceTag'];
export type Problem = Schemas['Problem'];
export type Quote = Schemas['Quote'];
export type ReceiptPage = Schemas['ReceiptPage'];
export type ReceiptProof = Schemas['ReceiptProofParts'];
export type Settlements = Schemas['Settlements'];
export type StatementEntry = Schemas['StatementEntry'];
export type StreamEnd = Schemas['StreamEnd'];
export type Unit = Schemas['Unit'];
export type UsageBy = Schemas['UsageBy'];
export type UsageReport = Schemas['UsageReport'];
export type Use = Schemas['Use'];
export type Voucher = Schemas['VoucherParts'];
export type WorkDetails = Schemas['WorkDetailsFacts'];
export type WorkKind = Schemas['WorkKind'];
export type WorkList = Schemas['WorkList'];

/** Signed receipt of one generation. A line of JSON with it is what `motif receipt verify` reads. */
export type Receipt = Schemas['ReceiptParts'];
