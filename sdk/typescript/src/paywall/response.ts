import { RefusedError, UntrustedError } from '../errors.js';
import { problemText, type Answered } from '../gateway/http.js';
import { isSuccess, type PaywallPurchase } from './paywall.js';
import type { Bought } from './purchasing.js';
import { PaidStream } from './stream.js';

const KIND = 'motif-content-type';
/** Headers of the exchange that do not describe the answer. */
const HOP_HEADERS = ['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive'];
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Buys one answer, for which an earlier request may have paid. */
export async function answer(paywall: PaywallPurchase, mayBePaid: boolean): Promise<Bought> {
  const answered = await paywall.buy(mayBePaid);
  return { response: toResponse(answered, paywall), isPaid: paywall.payment.receipts.length > 0 };
}

/**
 * Opens a stream; its body is paid for as it is read.
 *
 * @param onPaid Called when the stream has been read to its end.
 * @param onEnd Called when the stream ends in any way.
 */
export async function openStream(paywall: PaywallPurchase, onPaid: () => void, onEnd: () => void): Promise<Bought> {
  const response = await paywall.open();
  if (!isSuccess(response.status) || !response.body) {
    const answered = await paywall.read(response);
    const problem = paywall.problemIn(answered);
    if (problem) throw new RefusedError('refused', problemText(problem), problem);
    onEnd();
    return { response: toResponse(answered, paywall), isPaid: false };
  }
  const headers = cleaned(response.headers);
  headers.set('content-type', response.headers.get(KIND) ?? 'application/octet-stream');
  const body = new PaidStream(paywall, response.body, { onPaid, onEnd }).toReadable();
  return { response: withUrl(new Response(body, { status: response.status, headers }), paywall), isPaid: true };
}

/** Returns an answer as a response of `fetch`. */
function toResponse({ status, headers, body }: Answered, paywall: PaywallPurchase): Response {
  // Browsers hide where a redirect leads.
  if (status === 0) throw new UntrustedError('a paywall redirects a paid request');
  const response = new Response(WITHOUT_BODY.has(status) ? null : body, { status, headers: cleaned(headers) });
  return withUrl(response, paywall);
}

/** Sets the URL, which a response that is created here lacks. */
function withUrl(response: Response, { request }: PaywallPurchase): Response {
  return Object.defineProperty(response, 'url', { value: request.url });
}

function cleaned(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of HOP_HEADERS) kept.delete(name);
  return kept;
}
