import type {
  AddressText,
  AmountText,
  BatchedGeneration,
  Digest,
  Due,
  HoldFacts,
  PayerProof,
  PriceTag,
  Receipt,
  ReceiptProof,
  SignatureHex,
  StatementEntry,
  Use,
  Voucher,
} from '../wire.js';
import type { AccountJson } from './accounts.js';
import type { InstructionInputs } from './instructions.js';
import type { RawJson } from './raw-json.js';
import type {
  Base64,
  BatchRequestText,
  Charge,
  Denomination,
  Effect,
  Finding,
  Hex,
  Instruction,
  IntegerText,
  KeptReceipt,
  License,
  Offer,
  OfferInput,
  PayerAction,
  PayerStatus,
  PolicyJson,
  Purchase,
  PurchaseUnits,
  ReceiptKey,
  SaleReceipt,
  StreamEvent,
  TillShares,
} from './types.js';

/** Input and output of one rule. */
interface Call<Input, Output> {
  readonly input: Input;
  readonly output: Output;
}

type Nothing = Record<never, never>;
type Handle = { readonly payer: number };

/** Seeds of each kind of address. */
interface AddressSeeds {
  config: Nothing;
  work: { creator: AddressText; content_digest: Digest };
  terms: { work: AddressText; number: number };
  approval: { terms: AddressText; grantee: AddressText; purpose: 'license' | 'derivative' };
  split_change: { work: AddressText };
  dispute: { work: AddressText };
  certificate: { work: AddressText };
  metadata: { mint: AddressText };
  edition: { mint: AddressText };
  vault: { mint: AddressText };
  vault_tokens: { mint: AddressText; token_program?: AddressText };
  operator: { authority: AddressText };
  channel: { payer: AddressText; operator: AddressText; mint: AddressText; salt?: IntegerText };
  earnings: { work: AddressText; mint: AddressText };
  issuance: { terms: AddressText };
  licensee: { terms: AddressText; payer: AddressText; use: Use };
  till: { shares: TillShares; mint: AddressText };
  statement_buffer: { channel: AddressText; settler: AddressText };
  tokens: { owner: AddressText; mint: AddressText; token_program?: AddressText };
}

type AddressCalls = {
  [Kind in keyof AddressSeeds as `address.${Kind}`]: Call<AddressSeeds[Kind], { address: AddressText }>;
};

type InstructionCalls = {
  [Name in keyof InstructionInputs as `instruction.${Name}`]: Call<
    InstructionInputs[Name],
    { instructions: Instruction[] }
  >;
};

interface ChainCalls {
  version: Call<Nothing, VersionInfo>;
  /** Raw: data of the account. */
  'account.decode': Call<Nothing, AccountJson>;
  /** What can be pulled and claimed now. `work` is the data of the work's account; raw: data of the earnings' account. */
  'earnings.owed': Call<
    { work: Base64 },
    {
      parents: { work: AddressText; amount: AmountText }[];
      recipients: { recipient: AddressText; position: number; amount: AmountText }[];
    }
  >;
  /** Raw: data of the account. */
  'token.amount': Call<Nothing, { amount: AmountText }>;
  'token.decimals': Call<Nothing, { decimals: number }>;
}

interface PriceCalls {
  'voucher.bytes': Call<{ voucher: Omit<Voucher, 'signature'> }, { bytes: Hex }>;
  'voucher.verify': Call<{ voucher: Voucher; key: AddressText }, Nothing>;
  'statement.digest': Call<{ entries: readonly StatementEntry[] }, { bytes: Hex; digest: Digest }>;
  'license.charge': Call<
    { license: License; units: number; now: number; operator_fee_bps?: number },
    Charge & { license: License }
  >;
  'price.quote': Call<
    { price: AmountText; units: number; free_units?: IntegerText; operator_fee_bps?: number },
    Charge
  >;
}

interface ReceiptCalls {
  'receipt.verify': Call<{ receipt: Receipt; keys: readonly ReceiptKey[] }, { digest: Digest }>;
  'receipt.digest': Call<{ receipt: Receipt }, { digest: Digest; bytes: Hex }>;
  'receipt.read': Call<{ header: string }, { receipt: Receipt }>;
  'proof.verify': Call<
    { proof: ReceiptProof; address: AddressText; channel: Base64; keys: readonly ReceiptKey[] },
    Nothing
  >;
  /** Raw: body of the request. */
  'request.digest': Call<{ method: string; target: string }, { digest: Digest }>;
  'sale.read': Call<{ header: string }, { receipt: SaleReceipt }>;
  'sale.verify': Call<{ receipt: SaleReceipt; keys: readonly ReceiptKey[] }, Nothing>;
}

interface TermsCalls {
  'terms.presets': Call<Nothing, { presets: { name: string; description: string; toml: string }[] }>;
  'terms.parse': Call<
    { text: string; format?: 'toml' | 'json'; decimals?: number; now: number },
    { document: unknown; toml: string | null; offer: Offer | null; findings: Finding[] }
  >;
  'terms.summary': Call<{ offer: OfferInput; denomination: Denomination }, { text: string }>;
  /** Raw: data of the account of the terms. */
  'terms.digest': Call<Nothing, { digest: Digest }>;
  'terms.document': Call<{ offer: OfferInput; currency: AddressText }, { toml: string }>;
  'terms.export': Call<
    {
      format: 'rsl' | 'cawg';
      offer: OfferInput;
      denomination: Denomination;
      content_url?: string;
      licensing_url?: string;
      source: string;
      now: number;
    },
    { text?: string; assertion?: unknown }
  >;
  /** Escapes characters that are invisible or change how the text around them is displayed. */
  'text.visible': Call<{ text: string }, { text: string }>;
  'terms.import': Call<
    { format: 'pil'; text: string; decimals: number; now: number },
    { toml: string; warnings: { field: string; message: string }[] }
  >;
}

interface ChannelOfPayer {
  channel: AddressText;
  /** Data of the channel's account. */
  account: Base64;
  receipt_keys?: readonly ReceiptKey[];
  policy?: PolicyJson;
}

type Effects = { effects: Effect[] };
type Tickets = { tickets: number[] };

interface PayerCalls {
  'payer.new': Call<ChannelOfPayer & { is_kept: boolean }, { payer: number }>;
  /** Raw: the state file. */
  'payer.load': Call<ChannelOfPayer, { payer: number | null }>;
  'payer.free': Call<Handle, Nothing>;
  'payer.pay': Call<Handle & { ticket: number; generations: readonly BatchedGeneration[]; tag?: string }, Nothing>;
  'payer.check': Call<Handle & { license: number; units: number; tag?: string; now: number }, Nothing>;
  'payer.drop_waiting': Call<Handle, Tickets>;
  'payer.next': Call<Handle & { now: number }, Effects>;
  'payer.signed': Call<Handle & { signature: SignatureHex }, Effects>;
  'payer.withdraw': Call<Handle, Tickets>;
  'payer.resend': Call<Handle, { request: BatchRequestText | null }>;
  'payer.lose_answer': Call<Handle, Nothing>;
  'payer.abandon': Call<Handle, Tickets>;
  /** Raw: body of the response. */
  'payer.answered': Call<Handle & { status: number; now: number }, Effects>;
  'payer.give_up': Call<Handle, Effects>;
  /** Raw: body of the response. */
  'payer.is_transient': Call<{ status: number }, { is_transient: boolean }>;
  'payer.refresh': Call<Handle & { account: Base64 }, Nothing>;
  'payer.compare': Call<Handle & { state: RawJson }, Effects>;
  'payer.receipts': Call<Handle, { receipts: KeptReceipt[] }>;
  'payer.forget_receipts': Call<Handle & { through: number }, Effects>;
  /** Raw output: the frame that begins a state file. */
  'payer.snapshot': Call<Handle, Nothing>;
  'payer.status': Call<Handle, PayerStatus>;
  'payer.spent_on': Call<Handle & { day: number; tag?: string }, { spent: AmountText; committed: AmountText }>;
  'payer.license': Call<Handle & { license: number }, { license: License }>;
  'payer.request': Call<Handle & { action: PayerAction; issued_at: number }, { message: Hex }>;
  'payer.reader_header': Call<Handle & { expires_at: number; proof: PayerProof }, { header: string }>;
}

/** What a paywall offers for a license of the channel. */
export interface PaywallLicense {
  readonly license: number;
  readonly units: PurchaseUnits;
  /** Maximum cost of the answer, or of each part of a stream, fee included. */
  readonly most_cost: AmountText;
  readonly hold_seconds: number;
  readonly streams: boolean;
}

type PartOf = Handle & { purchase: Purchase; part: number };

interface PaywallCalls {
  'hold.check': Call<Handle & { purchase: Purchase; facts: HoldFacts }, { hold: Digest }>;
  'payment_required.read': Call<{ header: string }, { 'price-tag'?: PriceTag; due?: Due }>;
  'paywall.license': Call<Handle & { price_tag: PriceTag; now: number }, PaywallLicense>;
  'purchase.names': Call<PartOf, { answer: Digest }>;
  'purchase.ask': Call<Handle & { purchase: Purchase; proof: PayerProof }, { header: string }>;
  'purchase.due': Call<PartOf & { due: Due }, { generation: BatchedGeneration }>;
  'purchase.pay': Call<PartOf & { voucher: Voucher }, { header: string }>;
  /** Raw: body of the answer. */
  'purchase.answer': Call<{ receipt: Receipt; header: string | null }, Nothing>;
  /** Raw: body of the answer. */
  'purchase.earlier': Call<Handle & { purchase: Purchase; header: string | null }, { receipt: Receipt }>;
  /** Raw: one server-sent event; raw output: the bytes of a part. */
  'stream.event': Call<Nothing, StreamEvent>;
  'purchase.shown': Call<{ receipt: Receipt; header: string | null }, Nothing>;
  /** Raw: bytes of the part. */
  'purchase.part': Call<{ receipt: Receipt }, Nothing>;
}

/** Program that the rules know. */
export type ProgramName =
  | 'associated_token'
  | 'ed25519'
  | 'instructions_sysvar'
  | 'licensing'
  | 'memo'
  | 'payments'
  | 'system'
  | 'token'
  | 'token_2022'
  | 'token_metadata';

/** Header of the gateway's interface. */
export type HeaderName =
  'api_key' | 'content_type' | 'idempotency_key' | 'payment' | 'payment_required' | 'reader' | 'receipt';

/** What a module says about itself. */
export interface VersionInfo {
  readonly abi: number;
  readonly version: string;
  readonly programs: Readonly<Record<ProgramName, AddressText>>;
  readonly headers: Readonly<Record<HeaderName, string>>;
  readonly problem_types: readonly { readonly type: string; readonly title: string; readonly status: number }[];
  /** Presets of terms; none in the module of payers. */
  readonly presets: readonly string[];
  readonly uses: readonly string[];
  readonly units: readonly string[];
  readonly work_kinds: readonly string[];
  readonly calls: readonly string[];
}

/** All rules by name, with their inputs and outputs. */
export type Calls = AddressCalls &
  InstructionCalls &
  ChainCalls &
  PriceCalls &
  ReceiptCalls &
  TermsCalls &
  PayerCalls &
  PaywallCalls;

/** Name of a rule. */
export type CallName = keyof Calls;

/** Name of a rule that the module of payers has. Its `account.decode` reads channels and operators. */
export type PayerCallName =
  | 'version'
  | 'account.decode'
  | 'address.operator'
  | 'address.till'
  | Exclude<keyof PriceCalls, 'license.charge'>
  | keyof ReceiptCalls
  | keyof PayerCalls
  | keyof PaywallCalls;
