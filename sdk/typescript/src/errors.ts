import type { Problem } from './wire.js';

/** Kind of a {@link MotifError}, stable between versions. */
export type MotifErrorType =
  | 'refused'
  | 'outcome-unknown'
  | 'unreachable'
  | 'unanswered'
  | 'untrusted'
  | 'over-budget'
  | 'price-too-high'
  | 'max-price-exceeded'
  | 'license-not-found'
  | 'license-refuses'
  | 'not-licensed'
  | 'price-tag-mismatch'
  | 'too-many-requests'
  | 'statement-full'
  | 'overflow'
  | 'signer-failed'
  | 'state-locked'
  | 'state-failed'
  | 'state-invalid'
  | 'account-not-found'
  | 'account-invalid'
  | 'invalid-input'
  | 'receipt-invalid'
  | 'proof-invalid'
  | 'voucher-invalid'
  | 'terms-invalid'
  | 'content-unreadable'
  | 'content-too-large'
  | 'rpc-failed'
  | 'transaction-failed'
  | 'closed'
  | 'internal';

/** Error of this package. `type` says what happened; subclasses carry the facts. */
export class MotifError extends Error {
  readonly type: MotifErrorType;

  constructor(type: MotifErrorType, message: string, options?: ErrorOptions) {
    super(visible(message), options);
    this.name = new.target.name;
    this.type = type;
  }

  /** Whether the error proves that the payment was not charged. */
  get isDefinite(): boolean {
    return !MAYBE_CHARGED.has(this.type);
  }
}

const MAYBE_CHARGED: ReadonlySet<MotifErrorType> = new Set([
  'outcome-unknown',
  'unreachable',
  'untrusted',
  'state-failed',
  'internal',
]);

/** The gateway refused a request. Nothing was charged, unless its type is `outcome-unknown`. */
export class RefusedError extends MotifError {
  /** Problem document of the gateway; `problem.type` is its slug, such as `underfunded`. */
  readonly problem: Problem;

  constructor(type: 'refused' | 'outcome-unknown', message: string, problem: Problem, options?: ErrorOptions) {
    super(type, message, options);
    this.problem = problem;
  }
}

/** The gateway's or the paywall's answer is false or cannot be parsed. Nothing more is signed for it. */
export class UntrustedError extends MotifError {
  constructor(message: string, options?: ErrorOptions) {
    super('untrusted', message, options);
  }
}

/** A budget does not cover a payment. Nothing was signed. Amounts are base units. */
export class OverBudgetError extends MotifError {
  readonly total: bigint;
  readonly budget: bigint;

  constructor(message: string, total: bigint, budget: bigint) {
    super('over-budget', message);
    this.total = total;
    this.budget = budget;
  }
}

/** The price of a license's unit, or of an answer, exceeds the maximum. Nothing was signed. Amounts are base units. */
export class PriceError extends MotifError {
  readonly price: bigint;
  readonly max: bigint;

  constructor(type: 'price-too-high' | 'max-price-exceeded', message: string, price: bigint, max: bigint) {
    super(type, message);
    this.price = price;
    this.max = max;
  }
}

/** The gateway or node gave no answer. A payment may have been charged; repeating it is safe. */
export class UnreachableError extends MotifError {
  /** Origin of the URL. The rest may contain an API key. */
  readonly origin: string;

  constructor(url: string, cause: unknown) {
    const origin = URL.canParse(url) ? new URL(url).origin : 'an invalid URL';
    const text = messageOf(cause).replaceAll(url, origin);
    super('unreachable', `${origin} did not answer: ${text}`, tells(cause, url) ? {} : { cause });
    this.origin = origin;
  }
}

/** The state of a payer is in use, or cannot be read or written. */
export class StateError extends MotifError {
  constructor(type: 'state-locked' | 'state-failed' | 'state-invalid', message: string, options?: ErrorOptions) {
    super(type, message, options);
  }
}

/** A fault of this package or of its module of rules. */
export class InternalError extends MotifError {
  constructor(message: string, options?: ErrorOptions) {
    super('internal', message, options);
  }
}

/** Characters that are invisible, end a line, or change how a terminal displays the text around them. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Returns a text in which a server cannot write to the terminal or the log that it is shown in. */
function visible(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Whether an error or its causes show a URL, which may contain an API key. */
function tells(thrown: unknown, url: string): boolean {
  if (!(thrown instanceof Error)) return false;
  const shown = `${thrown.message}\n${thrown.stack ?? ''}`;
  return shown.includes(url) || tells(thrown.cause, url);
}

/** Returns the message of what was thrown, with that of its innermost cause. */
export function messageOf(thrown: unknown): string {
  let innermost = thrown;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  return innermost instanceof Error ? innermost.message || innermost.name : String(innermost);
}
