import type {
  AddressText,
  AmountText,
  BatchedGeneration,
  Digest,
  PayerProof,
  Problem,
  Receipt,
  SignatureHex,
  Unit,
  Use,
  Voucher,
  WorkKind,
} from '../wire.js';

/** Integer up to 2^64 - 1, as a string of decimal digits. */
export type IntegerText = string;
/** Bytes in hexadecimal. */
export type Hex = string;
/** Bytes in standard base64. */
export type Base64 = string;

/** Key that signs an operator's receipts from a second on. */
export interface ReceiptKey {
  readonly key: AddressText;
  /** First unix second. */
  readonly valid_from: number;
}

/** License of a work on a channel. `null` is unlimited. */
export interface License {
  readonly work: AddressText;
  readonly terms_number: number;
  readonly use: Use;
  readonly unit: Unit;
  /** Price of a unit, without the operator's fee. */
  readonly price: AmountText;
  /** Price of a unit of the quota. */
  readonly quota_price: AmountText;
  readonly units: IntegerText;
  readonly free_units_left: IntegerText;
  readonly units_left: IntegerText | null;
  readonly daily_units: IntegerText | null;
  /** Units of `day`. */
  readonly units_today: IntegerText;
  /** UTC day of the last settlement, since 1970. */
  readonly day: number;
  readonly revenue_left: AmountText | null;
  /** Last unix second of use. */
  readonly expires_at: number | null;
  readonly settled: AmountText;
  readonly collected: AmountText;
  readonly holds_quota: boolean;
  /** Time for which a license goes on after its work was withdrawn. */
  readonly notice_seconds: number;
}

/** Price of units. */
export interface Charge {
  readonly price: AmountText;
  /** Operator's fee. */
  readonly fee: AmountText;
  readonly total: AmountText;
}

/** Price of one use. */
export interface UsePrice {
  readonly use: Use;
  readonly unit: Unit;
  readonly price: AmountText;
}

/** What terms offer. */
export interface Offer {
  readonly commercial: boolean;
  readonly attribution: boolean;
  readonly sublicensing: boolean;
  readonly approval_required: boolean;
  readonly derivatives: 'forbidden' | 'approval' | 'allowed';
  readonly share_alike: boolean;
  readonly derivative_share_bps: number;
  readonly upfront_fee: AmountText;
  readonly free_units: IntegerText;
  readonly caps: {
    readonly total_units?: IntegerText | null;
    readonly daily_units?: IntegerText | null;
    readonly licensee_units?: IntegerText | null;
    readonly revenue?: AmountText | null;
  };
  readonly valid_from: number;
  readonly expires_at: number | null;
  readonly notice_seconds: number;
  readonly legal_digest: Digest;
  readonly uses: readonly UsePrice[];
  readonly operators: readonly AddressText[];
  readonly legal_uri: string;
}

/** What terms offer, where everything but `uses` has a default: commercial use without limits. */
export type OfferInput = Partial<Offer> & Pick<Offer, 'uses'>;

/** Share of a work's own earnings. */
export interface RecipientShare {
  readonly recipient: AddressText;
  readonly share_bps: number;
}

/** What allows a work to be registered as a derivative of a parent. */
export type ParentRight =
  | { readonly owner_signs: AddressText }
  | { readonly terms: number }
  | { readonly approval: number }
  | { readonly license: { readonly terms_number: number; readonly channel: AddressText; readonly index: number } };

/** A new work. */
export interface Registration {
  readonly kind: WorkKind;
  /** SHA-256 of the bare content. */
  readonly content_digest: Digest;
  readonly fingerprint?: Fingerprint;
  readonly metadata_digest?: Digest;
  readonly title?: string;
  readonly metadata_uri?: string;
  readonly consent_expires_at?: number;
  readonly model?: { readonly base_model: string; readonly training_root: Digest; readonly likeness: boolean };
  readonly previous_model?: AddressText;
  readonly min_expires_at?: number;
  readonly parents?: readonly { readonly work: AddressText; readonly share_bps: number; readonly right: ParentRight }[];
  /** Default: everything to the creator. */
  readonly split?: readonly RecipientShare[];
}

/** Perceptual fingerprint. */
export interface Fingerprint {
  /** Number of the algorithm; 0 for no fingerprint. */
  readonly scheme: number;
  /** 256 bits. */
  readonly bits: Hex;
}

/** Shares of a till. */
export interface TillShares {
  readonly operator?: AddressText;
  readonly operator_parts?: number;
  readonly works: readonly { readonly work: AddressText; readonly parts: number }[];
}

/** Instruction of a transaction, in a form that every Solana library can take. */
export interface Instruction {
  readonly program: AddressText;
  readonly accounts: readonly {
    readonly address: AddressText;
    readonly is_signer: boolean;
    readonly is_writable: boolean;
  }[];
  readonly data: Base64;
}

/** Receipt of a sale without a channel. */
export interface SaleReceipt {
  /** Signature of the payment's transaction, base58. */
  readonly transaction: string;
  readonly operator?: AddressText;
  readonly operator_parts: number;
  readonly works: readonly { readonly work: AddressText; readonly parts: number; readonly terms: number }[];
  readonly acceptance: Hex;
  /** Operator that sold. */
  readonly seller: AddressText;
  readonly payer: AddressText;
  /** SHA-256 of the answer; zeros if it was not made yet. */
  readonly output_digest: Digest;
  readonly issued_at: number;
  readonly signature: SignatureHex;
}

/** Currency of prices. */
export interface Denomination {
  readonly mint: AddressText;
  readonly decimals: number;
  readonly name?: string;
}

/** Finding of the linter of terms. */
export interface Finding {
  readonly type: string;
  readonly message: string;
  readonly line?: number;
}

/** Receipt in a payer's state. */
export interface KeptReceipt {
  /** Number, ascending from 1. */
  readonly number: number;
  readonly tag?: string;
  /** Amount charged, fees included; 0 for a payment that was offered again. */
  readonly charged: AmountText;
  readonly receipt: Receipt;
}

/** Limits of what a payer signs. */
export interface PolicyJson {
  readonly budget?: AmountText;
  readonly budget_per_day?: AmountText;
  readonly tag_budgets_per_day?: Readonly<Record<string, AmountText>>;
  readonly max_unit_price?: AmountText;
  readonly voucher_seconds?: number;
  readonly max_batch?: number;
}

/** Summary of a payer. */
export interface PayerStatus {
  /** Payer's key. */
  readonly payer: AddressText;
  readonly channel: AddressText;
  readonly opened_slot: number;
  readonly operator: AddressText;
  readonly mint: AddressText;
  readonly voucher_key: AddressText;
  readonly cluster: Digest;
  readonly waiting: number;
  readonly is_unanswered: boolean;
  readonly has_doubts: boolean;
  readonly spent: AmountText;
  readonly cumulative: AmountText;
  readonly available: AmountText;
  readonly statement: number;
  readonly operator_fee_bps: number;
  readonly licenses: number;
}

/** Batch to send to the gateway. */
export interface BatchRequestText {
  /** Idempotency key. */
  readonly key: string;
  readonly body: string;
}

/** What the host of a payer's state machine does next. */
export type Effect =
  | { readonly effect: 'sign'; readonly message: Hex; readonly voucher: Omit<Voucher, 'signature'> }
  | { readonly effect: 'save'; readonly frame: Base64; readonly is_urgent: boolean }
  | ({ readonly effect: 'send' } & BatchRequestText)
  | {
      readonly effect: 'paid';
      readonly ticket: number | null;
      readonly receipts: readonly Receipt[];
      readonly voucher: Voucher;
    }
  | { readonly effect: 'failed'; readonly ticket: number; readonly error: { type: string; message: string } }
  | { readonly effect: 'compare' };

/** Units of a purchase: known before, or at most. */
export type PurchaseUnits = { readonly exactly: number } | { readonly at_most: number };

/** Request for an answer behind a paywall, or for a hold. */
export interface Purchase {
  /** Index of the license. */
  readonly license: number;
  readonly units: PurchaseUnits;
  /** Idempotency key. */
  readonly key: string;
  readonly request_digest: Digest;
  /** Last unix second in which it can be paid. */
  readonly expires_at: number;
}

/** Action that a payer's key signs. */
export type PayerAction =
  'settle' | 'close' | { readonly hold: Purchase } | { readonly release: Digest } | { readonly read: number };

/** Event of a paid stream. */
export type StreamEvent =
  | { readonly event: null }
  | { readonly event: 'due'; readonly due: import('../wire.js').Due }
  | { readonly event: 'output'; readonly part: number; readonly receipt: Receipt }
  | { readonly event: 'end'; readonly end: import('../wire.js').StreamEnd }
  | { readonly event: 'failed'; readonly error: { type: 'refused'; message: string; problem: Problem } };

export type { BatchedGeneration, PayerProof, SignatureHex };
