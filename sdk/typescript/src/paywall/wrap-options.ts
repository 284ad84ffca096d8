import type { Payment } from './payment.js';
import type { PurchaseLog } from './purchases.js';

/** Settings of `wrapFetchWithMotif`. */
export interface WrapOptions {
  /** Maximum price of one answer, or of one whole stream, base units, fees included. */
  readonly maxPrice: bigint;
  /** Tag of the payments. */
  readonly tag?: string;
  /** Called with the payment of each answer, before the answer is returned. That of a stream grows later. */
  readonly onPayment?: (payment: Payment) => void;
  /** Tokens of API keys by the origin of the paywall that requires one, such as `https://shop.example`. Default: none. */
  readonly apiKeys?: Readonly<Record<string, string>>;
  /** How long unanswered requests are repeated, milliseconds. Default: that of the payer's gateway. */
  readonly patience?: number;
  /**
   * Time limit of one paid attempt, and of one part of a stream, milliseconds. Default: 180,000. An answer that takes longer
   * is asked for again, and not made twice. The unpaid request that comes first has no limit but its own signal.
   */
  readonly timeout?: number;
  /** Maximum size of an answer or of a part, bytes. Default: 64 MiB. */
  readonly maxBytes?: number;
  /** What was bought under idempotency keys of the caller. Default: kept by this process. */
  readonly purchases?: PurchaseLog;
}
