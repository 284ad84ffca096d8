import type { SchemeNetworkClient } from '@x402/core/types';

import { PayerCore } from '../core/payer-core.js';
import type { TillShares } from '../core/types.js';
import { MotifError, PriceError, UntrustedError } from '../errors.js';
import { isRecord } from '../gateway/http.js';
import { assertAmount, assertObject } from '../input.js';
import { callWithForeign } from '../core/module-error.js';

/** What a seller requires. */
type Requirements = Parameters<SchemeNetworkClient['createPaymentPayload']>[1];
type Context = Parameters<SchemeNetworkClient['createPaymentPayload']>[2];
type Payload = Awaited<ReturnType<SchemeNetworkClient['createPaymentPayload']>>;

/** Settings of a {@link MotifScheme}. */
export interface MotifSchemeOptions {
  /** Maximum price of one answer, base units, fees included. */
  readonly maxPrice: bigint;
  /** Works that may be paid for. Default: all. */
  readonly works?: readonly string[];
  /** Mints that may be paid in. Default: all. */
  readonly mints?: readonly string[];
  /** Maximum part of the payment that goes to the operator, basis points. Default: 1,000. */
  readonly maxFeeBps?: number;
  /** Whether offers of sellers other than Motif's are passed on to the scheme. Default: no. */
  readonly allowOthers?: boolean;
  /** Rules. Default: loaded from this package. */
  readonly core?: PayerCore;
}

/** What Motif adds to an offer. */
interface SaleOffer {
  readonly work: string;
  readonly parts: number;
  readonly operator?: string | null;
  readonly operator_parts: number;
}

const BPS = 10_000n;
const MAX_FEE_BPS = 1_000;

/**
 * Scheme plug-in of x402 that pays a Motif paywall only if the money goes where the offer says.
 *
 * `payTo` must be the till that is derived from the work, its parts and the operator's parts, so that the work's creators
 * are paid by its split. The price, the work, the mint and the operator's part must be within the settings. The payment
 * itself is built and signed by the scheme inside.
 */
export class MotifScheme implements SchemeNetworkClient {
  readonly scheme: string;
  readonly schemeHooks?: NonNullable<SchemeNetworkClient['schemeHooks']>;
  readonly findDefaultAsset?: NonNullable<SchemeNetworkClient['findDefaultAsset']>;
  readonly #inner: SchemeNetworkClient;
  readonly #options: MotifSchemeOptions;
  #core: Promise<PayerCore> | undefined;

  /** @param inner Scheme that builds the payment, such as `ExactSvmScheme` of `@x402/svm`. */
  constructor(inner: SchemeNetworkClient, options: MotifSchemeOptions) {
    assertObject('options: expected { maxPrice }', options);
    assertAmount('maxPrice', options.maxPrice);
    this.scheme = inner.scheme;
    if (inner.schemeHooks) this.schemeHooks = inner.schemeHooks;
    if (inner.findDefaultAsset) this.findDefaultAsset = inner.findDefaultAsset.bind(inner);
    this.#inner = inner;
    this.#options = options;
  }

  /**
   * Checks an offer, then has the payment built.
   *
   * @throws MotifError `untrusted`, `max-price-exceeded`, `invalid-input`. Nothing is signed.
   */
  async createPaymentPayload(x402Version: number, requirements: Requirements, context?: Context): Promise<Payload> {
    this.#core ??= this.#options.core ? Promise.resolve(this.#options.core) : PayerCore.load();
    this.#check(await this.#core, requirements);
    return this.#inner.createPaymentPayload(x402Version, requirements, context);
  }

  #check(core: PayerCore, requirements: Requirements): void {
    const { maxPrice, works, mints, allowOthers } = this.#options;
    const amount = amountOf(requirements);
    if (amount > maxPrice) {
      const text = `the answer costs ${amount} base units: expected at most ${maxPrice}`;
      throw new PriceError('max-price-exceeded', text, amount, maxPrice);
    }
    if (mints && !mints.includes(requirements.asset)) {
      throw new MotifError('invalid-input', `the seller is paid in ${requirements.asset}, which is not allowed`);
    }
    const offer = isRecord(requirements.extra) ? requirements.extra['motif'] : undefined;
    if (offer === undefined) {
      if (allowOthers) return;
      throw new UntrustedError('the offer names no work');
    }
    if (!isOffer(offer)) throw new UntrustedError('the offer of a work is malformed');
    if (works && !works.includes(offer.work)) {
      throw new MotifError('invalid-input', `the offer is for work ${offer.work}, which is not allowed`);
    }
    this.#checkTill(core, requirements, offer);
  }

  #checkTill(core: PayerCore, { asset, payTo }: Requirements, offer: SaleOffer): void {
    const { work, parts, operator, operator_parts } = offer;
    const total = BigInt(parts) + BigInt(operator_parts);
    const feeBps = total === 0n ? BPS : (BigInt(operator_parts) * BPS) / total;
    const maxFeeBps = BigInt(this.#options.maxFeeBps ?? MAX_FEE_BPS);
    if (feeBps > maxFeeBps) {
      throw new UntrustedError(`${feeBps} basis points go to the operator: expected at most ${maxFeeBps}`);
    }
    const sold = { works: [{ work, parts }], operator_parts };
    const shares: TillShares = operator == null ? sold : { ...sold, operator };
    const derive = () => core.call('address.till', { shares, mint: asset });
    const till = callWithForeign('the offer of a work', derive).address;
    if (till !== payTo)
      throw new UntrustedError(`the till of the offered shares is ${till}, and ${payTo} is to be paid`);
  }
}

/** Returns the amount to pay. Version 1 of x402 names it `maxAmountRequired`: a scheme may pay either of the two. */
function amountOf(requirements: Requirements): bigint {
  const { amount, maxAmountRequired } = requirements as { amount?: unknown; maxAmountRequired?: unknown };
  const [first, ...others] = [amount, maxAmountRequired].filter((one) => one !== undefined);
  if (typeof first !== 'string' || !/^\d{1,20}$/.test(first)) {
    throw new UntrustedError('the amount is not a number of base units');
  }
  if (others.some((other) => other !== first)) throw new UntrustedError('the offer names two amounts');
  return BigInt(first);
}

function isOffer(value: unknown): value is SaleOffer {
  if (!isRecord(value)) return false;
  const { work, parts, operator, operator_parts } = value;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && Number(count) >= 0;
  const isOperator = operator === undefined || operator === null || typeof operator === 'string';
  return typeof work === 'string' && isCount(parts) && isCount(operator_parts) && isOperator;
}
