import type { AddressText, AmountText, Digest, WorkKind } from '../wire.js';
import type { Fingerprint, IntegerText, License, Offer, ReceiptKey, RecipientShare, TillShares } from './types.js';

/** Header of a channel. */
export interface ChannelFields {
  readonly payer: AddressText;
  readonly operator: AddressText;
  readonly watcher: AddressText | null;
  readonly mint: AddressText;
  readonly voucher_key: AddressText;
  readonly next_voucher_key: AddressText | null;
  /** Unix second; `null` without a rotation. */
  readonly rotates_at: number | null;
  readonly cluster: Digest;
  readonly salt: IntegerText;
  readonly opened_slot: number;
  readonly operator_fee_bps: number;
  readonly grace_seconds: number;
  /** End of the grace period, unix second; `null` while the channel is open. */
  readonly closes_at: number | null;
  readonly payer_closes: boolean;
  readonly withdrawn: boolean;
  readonly self_metered: boolean;
  readonly deposited: AmountText;
  readonly upfront_fees: AmountText;
  readonly prices: AmountText;
  readonly fees: AmountText;
  /** Prices and fees that have settled. */
  readonly cumulative: AmountText;
  /** Deposit that is neither charged nor reserved. */
  readonly free: AmountText;
  readonly earmarked: AmountText;
  readonly quotas_held: number;
  readonly collected: AmountText;
  readonly fees_claimed: AmountText;
  readonly refunded: AmountText;
  /** Number of settled statements. */
  readonly statements: number;
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

/** Whether licenses of a work can be accepted. */
export type WorkStatus = 'active' | 'withdrawn' | 'disputed';

/** Work as the chain has it. */
export interface WorkFields {
  readonly creator: AddressText;
  readonly owner: AddressText;
  readonly pending_owner: AddressText | null;
  readonly kind: WorkKind;
  readonly status: WorkStatus;
  readonly title: string;
  readonly content_digest: Digest;
  readonly fingerprint: Fingerprint;
  readonly metadata_uri: string;
  readonly metadata_digest: Digest;
  readonly registered_at: number;
  readonly withdrawn_at: number | null;
  /** Number of the newest terms; 0 without any. */
  readonly latest_terms: number;
  readonly split_version: number;
  /** Number of disputes. */
  readonly disputes: number;
  readonly consent: { readonly person: AddressText; readonly expires_at: number | null } | null;
  readonly model: {
    readonly base_model: string;
    readonly training_root: Digest;
    readonly previous: AddressText | null;
  } | null;
  readonly certificate: AddressText | null;
  readonly inherited: {
    readonly expires_at: number | null;
    readonly share_alike: boolean;
    readonly non_commercial: boolean;
  };
  readonly parents: readonly {
    readonly work: AddressText;
    readonly share_bps: number;
    readonly terms_number: number;
  }[];
  readonly split: readonly RecipientShare[];
}

/** Operator as the chain has it. */
export interface OperatorFields {
  readonly authority: AddressText;
  readonly settle_key: AddressText;
  readonly next_settle_key: AddressText | null;
  readonly settle_rotates_at: number | null;
  readonly fee_owner: AddressText;
  readonly fee_bps: number;
  readonly min_grace_seconds: number;
  readonly registered_at: number;
  readonly receipt_keys: readonly ReceiptKey[];
  readonly url: string;
}

/** Earnings of a work in a currency. */
export interface EarningsFields {
  readonly work: AddressText;
  readonly mint: AddressText;
  readonly earned: AmountText;
  /** Part without the parents' shares. */
  readonly own: AmountText;
  readonly own_bps: number;
  readonly split_version: number;
  /** Number of the work's dispute that was applied. */
  readonly dispute: number;
}

/** Share of one party in a work's earnings. */
export interface EarningsPart {
  readonly share_bps: number;
  readonly taken: AmountText;
  readonly entitled: AmountText;
}

/** Vault of a mint. */
export interface VaultFields {
  readonly mint: AddressText;
  readonly decimals: number;
  readonly token_program: AddressText;
  readonly tokens: AddressText;
}

/** Till of sales. */
export interface TillFields {
  readonly mint: AddressText;
  readonly shares: TillShares;
  readonly works_paid: readonly AmountText[];
  readonly operator_paid: AmountText;
}

/** What has been issued of terms with a cap. */
export interface IssuanceFields {
  readonly terms: AddressText;
  readonly units: IntegerText;
  readonly revenue: AmountText;
}

/** Right of a payer to license by terms. */
export interface ApprovalFields {
  readonly terms: AddressText;
  readonly grantee: AddressText;
  readonly purpose: 'license' | 'derivative';
  readonly granted_by: AddressText;
  readonly granted_at: number;
}

/** Proposed change of a split. */
export interface SplitChangeFields {
  readonly work: AddressText;
  readonly proposer: AddressText;
  readonly split_version: number;
  readonly recipients: number;
  readonly expires_at: number | null;
  readonly split: readonly RecipientShare[];
}

/** Dispute of a work. */
export interface DisputeFields {
  readonly work: AddressText;
  readonly claimant: AddressText;
  readonly bond_lamports: AmountText;
  readonly opened_at: number;
  readonly deadline: number;
  readonly status_before: WorkStatus;
  readonly evidence_digest: Digest;
  readonly evidence_uri: string;
}

/** Settings of the licensing program. */
export interface ConfigFields {
  readonly cluster: Digest;
  readonly authority: AddressText;
  readonly pending_authority: AddressText | null;
  readonly arbiter: AddressText;
  readonly dispute_bond_lamports: AmountText;
  readonly dispute_seconds: number;
}

/** Decoded account of one of the two programs. */
export type AccountJson =
  | { readonly kind: 'channel'; readonly channel: ChannelFields; readonly licenses: readonly License[] }
  | {
      readonly kind: 'earnings';
      readonly earnings: EarningsFields;
      readonly parents: readonly (EarningsPart & { readonly work: AddressText })[];
      readonly recipients: readonly (EarningsPart & { readonly recipient: AddressText })[];
    }
  | { readonly kind: 'operator'; readonly operator: OperatorFields }
  | { readonly kind: 'work'; readonly work: WorkFields }
  | { readonly kind: 'terms'; readonly terms: TermsFields }
  | { readonly kind: 'vault'; readonly vault: VaultFields }
  | { readonly kind: 'till'; readonly till: TillFields }
  | { readonly kind: 'issuance'; readonly issuance: IssuanceFields }
  | {
      readonly kind: 'licensee';
      readonly licensee: { readonly terms: AddressText; readonly payer: AddressText };
    }
  | { readonly kind: 'config'; readonly config: ConfigFields }
  | { readonly kind: 'approval'; readonly approval: ApprovalFields }
  | { readonly kind: 'split_change'; readonly split_change: SplitChangeFields }
  | { readonly kind: 'dispute'; readonly dispute: DisputeFields };
