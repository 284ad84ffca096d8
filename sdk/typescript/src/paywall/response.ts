import { RefusedError, UntrustedError } from '../errors.js';
import { problemText, readBody, type Answered } from '../gateway/http.js';
import { isSuccess, type PaywallPurchase } from './paywall.js';
import { PaidStream } from './stream.js';

const KIND = 'motif-content-type';
/** Headers of the exchange that do not describe the answer. */
const HOP_HEADERS = ['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive'];
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Opens a stream; its body is paid for as it is read. */
export async function openStream(paywall: PaywallPurchase): Promise<Response> {
  const response = await paywall.open();
  if (!isSuccess(response.status) || !response.body) {
    const { status, headers, url } = response;
    const answered: Answered = { status, headers, url, body: await readBody(response, paywall.maxBytes) };
    const problem = paywall.problemIn(answered);
    if (problem) throw new RefusedError('refused', problemText(problem), problem);
    return toResponse(answered);
  }
  const headers = cleaned(response.headers);
  headers.set('content-type', response.headers.get(KIND) ?? 'application/octet-stream');
  const body = new PaidStream(paywall, response.body).toReadable();
  return new Response(body, { status: response.status, headers });
}

/** Returns an answer as a response of `fetch`. */
export function toResponse({ status, headers, body }: Answered): Response {
  // Browsers hide where a redirect leads.
  if (status === 0) throw new UntrustedError('a paywall redirects a paid request');
  return new Response(WITHOUT_BODY.has(status) ? null : body, { status, headers: cleaned(headers) });
}

function cleaned(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of HOP_HEADERS) kept.delete(name);
  return kept;
}
