/**
 * Pay for licensed generations through a Motif gateway, and apply Motif's rules: prices, terms, receipts, proofs.
 *
 * @packageDocumentation
 */

export { Core } from './core/core.js';
export type { ModuleSource } from './core/module-source.js';
export { PayerCore } from './core/payer-core.js';
export type { CallName, Calls, PayerCallName, PaywallLicense, VersionInfo } from './core/calls.js';
export type * from './core/accounts.js';
export type { InstructionInputs } from './core/instructions.js';
export type {
  Charge,
  Denomination,
  Finding,
  Fingerprint,
  Instruction,
  License,
  Offer,
  OfferInput,
  ParentRight,
  Purchase,
  PurchaseUnits,
  ReceiptKey,
  RecipientShare,
  Registration,
  TillShares,
  UsePrice,
} from './core/types.js';
export type * from './wire.js';
export {
  InternalError,
  MotifError,
  OverBudgetError,
  PriceError,
  RefusedError,
  StateError,
  UnreachableError,
  UntrustedError,
  type MotifErrorType,
} from './errors.js';
export { RpcReader, type AccountReader, type ChainAccount, type RpcOptions } from './chain.js';
export type { EventListener, MotifEvent } from './events.js';
export { GatewayClient, type GatewayOptions } from './gateway/client.js';
export type { Fetch } from './gateway/http.js';
export {
  Payer,
  type Generation,
  type HeldFunds,
  type Hold,
  type PayerOptions,
  type PayerReceipt,
  type PaymentOptions,
} from './payer/payer.js';
export type { PayerPolicy } from './payer/policy.js';
export { createSigner, generateSigner, signerFromSecretKey, type VoucherSigner } from './payer/signer.js';
export { deleteSessionKey, sessionSigner } from './wallet/session-key.js';
export type { OpenState, StateStore } from './payer/state-store.js';
export { indexedDbState } from './payer/indexed-db-state.js';
export { memoryState } from './payer/memory-state.js';
export { wrapFetchWithMotif } from './paywall/wrap-fetch.js';
export type { WrapOptions } from './paywall/wrap-options.js';
export { paymentOf, type Payment } from './paywall/payment.js';
export { MemoryPurchases, type PurchaseLog } from './paywall/purchases.js';
export { proveReceipt, type ProofOptions } from './receipts.js';
export { sha256 } from './bytes.js';
