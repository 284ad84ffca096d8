import type { AddressText, AmountText, Digest, Use, Voucher } from '../wire.js';
import type { Base64, Hex, IntegerText, OfferInput, RecipientShare, Registration, TillShares } from './types.js';

/** Token program of a mint; SPL Token by default. */
type TokenProgram = { token_program?: AddressText };
type LicenseOf = { index: number; work: AddressText };

/** Inputs of the instructions of both programs, by name. */
export interface InstructionInputs {
  create_vault: { funder: AddressText; mint: AddressText } & TokenProgram;
  create_tokens: { funder: AddressText; owner: AddressText; mint: AddressText } & TokenProgram;
  register_work: { creator: AddressText; consent?: AddressText; registration: Registration };
  publish_terms: {
    owner: AddressText;
    work: AddressText;
    latest_terms: number;
    currency: AddressText;
    offer: OfferInput;
  };
  update_metadata: {
    owner: AddressText;
    work: AddressText;
    title: string;
    metadata_uri: string;
    metadata_digest: Digest;
  };
  withdraw_work: { owner: AddressText; work: AddressText };
  set_consent_end: { person: AddressText; work: AddressText; expires_at?: number };
  grant_approval: {
    owner: AddressText;
    work: AddressText;
    terms_number: number;
    grantee: AddressText;
    purpose: 'license' | 'derivative';
  };
  revoke_approval: {
    owner: AddressText;
    work: AddressText;
    terms_number: number;
    grantee: AddressText;
    purpose: 'license' | 'derivative';
    granted_by: AddressText;
  };
  issue_certificate: { owner: AddressText; work: AddressText; name: string };
  propose_split: {
    owner: AddressText;
    work: AddressText;
    split: readonly RecipientShare[];
    expires_at?: number;
  };
  approve_split_change: { recipient: AddressText; work: AddressText; split: readonly RecipientShare[] };
  apply_split_change: { payer: AddressText; work: AddressText; proposer: AddressText };
  cancel_split_change: { owner: AddressText; work: AddressText; proposer: AddressText };
  offer_ownership: { owner: AddressText; work: AddressText; to?: AddressText };
  open_channel: {
    payer: AddressText;
    operator: AddressText;
    mint: AddressText;
    salt?: IntegerText;
    voucher_key: AddressText;
    operator_fee_bps: number;
    grace_seconds: number;
    deposit: AmountText;
    watcher?: AddressText;
  } & TokenProgram;
  top_up: { payer: AddressText; channel: AddressText; mint: AddressText; amount: AmountText } & TokenProgram;
  accept_terms: {
    payer: AddressText;
    channel: AddressText;
    /** Data of the account of the terms. */
    terms: Base64;
    use: Use;
    /** Maximum price of a unit. */
    max_price: AmountText;
    quota?: { units?: IntegerText; revenue?: AmountText };
    min_expires_at?: number;
    consent_expires_at?: number;
    approver?: AddressText;
    approval?: boolean;
  } & TokenProgram;
  collect: { channel: AddressText; mint: AddressText; licenses: readonly LicenseOf[] };
  claim_fees: {
    channel: AddressText;
    operator: AddressText;
    fee_owner: AddressText;
    mint: AddressText;
  } & TokenProgram;
  request_close: { caller: AddressText; party?: AddressText; watcher?: AddressText; channel: AddressText };
  withdraw: { payer: AddressText; channel: AddressText; mint: AddressText } & TokenProgram;
  close_channel: { payer: AddressText; channel: AddressText };
  apply_withdrawal: { channel: AddressText; licenses: readonly LicenseOf[] };
  release_quota: {
    caller: AddressText;
    cosigner?: AddressText;
    channel: AddressText;
    index: number;
    work: AddressText;
    terms_number: number;
  };
  rotate_voucher_key: {
    payer: AddressText;
    party?: AddressText;
    watcher?: AddressText;
    channel: AddressText;
    new_key: AddressText;
  };
  settle: {
    settler: AddressText;
    operator: AddressText;
    voucher: Voucher;
    voucher_key: AddressText;
    statement: Hex;
  };
  open_earnings: { funder: AddressText; work: AddressText; mint: AddressText };
  pull: { child: AddressText; parent: AddressText; mint: AddressText };
  apply_split: { funder: AddressText; work: AddressText; mint: AddressText };
  apply_dispute: { work: AddressText; mint: AddressText };
  claim: {
    work: AddressText;
    /** `position` is that of the recipient's part; it may have moved by a change of the split. */
    recipients: readonly { position?: number; recipient: AddressText }[];
    mint: AddressText;
  } & TokenProgram;
  claim_to: {
    work: AddressText;
    recipient: AddressText;
    mint: AddressText;
    /** Token account that is paid. */
    destination: AddressText;
  } & TokenProgram;
  register_operator: {
    funder: AddressText;
    authority: AddressText;
    settle_key: AddressText;
    receipt_key: AddressText;
    fee_bps?: number;
    min_grace_seconds?: number;
    fee_owner: AddressText;
    url?: string;
  };
  update_operator: {
    authority: AddressText;
    fee_bps: number;
    min_grace_seconds: number;
    fee_owner: AddressText;
    url: string;
  };
  rotate_operator_key: { authority: AddressText; which: 'settle' | 'receipt'; new_key: AddressText };
  open_till: { funder: AddressText; shares: TillShares; mint: AddressText } & TokenProgram;
  pay_till: {
    payer: AddressText;
    shares: TillShares;
    mint: AddressText;
    decimals: number;
    amount: AmountText;
  } & TokenProgram;
  sweep_till: { shares: TillShares; mint: AddressText; fee_owner?: AddressText } & TokenProgram;
}
