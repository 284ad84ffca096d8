import type { AddressText, AmountText, Digest, WorkKind } from '../wire.js';
import type { IntegerText, License, Offer, ReceiptKey, RecipientShare } from './types.js';

/** Header of a channel. */
export interface ChannelFields {
  readonly payer: AddressText;
  readonly operator: AddressText;
  readonly mint: AddressText;
  readonly voucher_key: AddressText;
  readonly cluster: Digest;
  readonly salt: IntegerText;
  readonly opened_slot: number;
  readonly operator_fee_bps: number;
  readonly grace_seconds: number;
  readonly deposited: AmountText;
  /** Deposit that is neither charged nor reserved. */
  readonly free: AmountText;
  /** Prices and fees that have settled. */
  readonly cumulative: AmountText;
  /** Number of settled statements. */
  readonly statements: number;
  readonly [field: string]: unknown;
}

/** Terms as the chain has them. */
export interface TermsFields {
  readonly work: AddressText;
  readonly number: number;
  readonly currency: AddressText;
  readonly published_at: number;
  readonly offer: Offer;
  /** Digest that an acceptance names. */
  readonly digest: Digest;
}

/** Work as the chain has it. */
export interface WorkFields {
  readonly creator: AddressText;
  readonly owner: AddressText;
  readonly kind: WorkKind;
  readonly status: 'active' | 'withdrawn' | 'disputed';
  readonly title: string;
  readonly content_digest: Digest;
  /** Number of the newest terms; 0 without any. */
  readonly latest_terms: number;
  readonly parents: readonly {
    readonly work: AddressText;
    readonly share_bps: number;
    readonly terms_number: number;
  }[];
  readonly split: readonly RecipientShare[];
  readonly [field: string]: unknown;
}

/** Operator as the chain has it. */
export interface OperatorFields {
  readonly authority: AddressText;
  readonly settle_key: AddressText;
  readonly fee_owner: AddressText;
  readonly fee_bps: number;
  readonly min_grace_seconds: number;
  readonly receipt_keys: readonly ReceiptKey[];
  readonly url: string;
  readonly [field: string]: unknown;
}

/** Share of one party in a work's earnings. */
export interface EarningsPart {
  readonly share_bps: number;
  readonly taken: AmountText;
  readonly entitled: AmountText;
}

/** Decoded account of one of the two programs. */
export type AccountJson =
  | { readonly kind: 'channel'; readonly channel: ChannelFields; readonly licenses: readonly License[] }
  | {
      readonly kind: 'earnings';
      readonly earnings: {
        readonly work: AddressText;
        readonly mint: AddressText;
        readonly earned: AmountText;
        readonly [field: string]: unknown;
      };
      readonly parents: readonly (EarningsPart & { readonly work: AddressText })[];
      readonly recipients: readonly (EarningsPart & { readonly recipient: AddressText })[];
    }
  | { readonly kind: 'operator'; readonly operator: OperatorFields }
  | { readonly kind: 'work'; readonly work: WorkFields }
  | { readonly kind: 'terms'; readonly terms: TermsFields }
  | { readonly kind: 'vault'; readonly vault: Readonly<Record<string, unknown>> }
  | { readonly kind: 'till'; readonly till: Readonly<Record<string, unknown>> }
  | { readonly kind: 'issuance'; readonly issuance: Readonly<Record<string, unknown>> }
  | { readonly kind: 'licensee'; readonly licensee: Readonly<Record<string, unknown>> }
  | { readonly kind: 'config'; readonly config: Readonly<Record<string, unknown>> }
  | { readonly kind: 'approval'; readonly approval: Readonly<Record<string, unknown>> }
  | { readonly kind: 'split_change'; readonly split_change: Readonly<Record<string, unknown>> }
  | { readonly kind: 'dispute'; readonly dispute: Readonly<Record<string, unknown>> };
