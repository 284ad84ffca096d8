import {
  InternalError,
  MotifError,
  OverBudgetError,
  PriceError,
  RefusedError,
  StateError,
  UntrustedError,
  type MotifErrorType,
} from '../errors.js';
import type { AmountText, Problem } from '../wire.js';

/** Error in the output of a module. */
export interface ErrorJson {
  readonly type: string;
  readonly message: string;
  readonly problem?: Problem;
  readonly total?: AmountText;
  readonly budget?: AmountText;
  readonly price?: AmountText;
  readonly max?: AmountText;
}

/** Types whose message is all that there is to know. */
const PLAIN: ReadonlySet<string> = new Set<MotifErrorType>([
  'license-not-found',
  'license-refuses',
  'not-licensed',
  'price-tag-mismatch',
  'statement-full',
  'overflow',
  'account-invalid',
  'invalid-input',
  'receipt-invalid',
  'proof-invalid',
  'voucher-invalid',
  'terms-invalid',
  'content-unreadable',
  'content-too-large',
]);

/** Makes a call with what a gateway or paywall has sent: if that is malformed, it is not to be trusted. */
export function callWithForeign<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof MotifError && error.type === 'invalid-input')) throw error;
    throw new UntrustedError(`${what} is malformed: ${error.message}`);
  }
}

/** Converts the error of a module. */
export function toError(error: ErrorJson): MotifError {
  const { type, message } = error;
  switch (type) {
    case 'refused':
    case 'outcome-unknown':
      return error.problem ? new RefusedError(type, message, error.problem) : unknown(error);
    case 'untrusted':
      return new UntrustedError(message);
    case 'invalid-call': // an unknown rule, or an argument that is missing or malformed
      return new MotifError('invalid-input', message);
    case 'over-budget':
      return new OverBudgetError(message, BigInt(error.total ?? 0), BigInt(error.budget ?? 0));
    case 'price-too-high':
      return new PriceError(type, message, BigInt(error.price ?? 0), BigInt(error.max ?? 0));
    case 'state-invalid':
      return new StateError(type, message);
    default:
      return PLAIN.has(type) ? new MotifError(type as MotifErrorType, message) : unknown(error);
  }
}

function unknown({ type, message }: ErrorJson): MotifError {
  return new InternalError(`${message} (${type})`);
}
