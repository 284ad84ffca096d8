import { invalidInput } from '../input.js';

/** Request whose body is in memory, so that it can be sent again. */
export interface PaidRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  /** Settings of the platform. */
  readonly init: RequestInit;
}

const HEADER = 'idempotency-key';
const VISIBLE = /^[\x21-\x7e]{8,128}$/;

/** Reads a request as `fetch` takes it. */
export async function readRequest(input: RequestInfo | URL, init: RequestInit = {}): Promise<PaidRequest> {
  // The platform's error would show them.
  if (!(input instanceof Request)) assertNoCredentials(input);
  const request = new Request(input, init);
  const { method } = request;
  const url = new URL(request.url);
  url.hash = '';
  // A query without a text is not sent by every platform: the payment is bound to the target without it.
  if (url.search === '') url.search = '';
  const body = new Uint8Array(await request.arrayBuffer());
  const headers = new Headers(request.headers);
  const signal = signalOf(input, init) ?? new AbortController().signal;
  return { method, url: url.href, headers, body, signal, init: { ...settingsOf(input), ...rest(init) } };
}

function assertNoCredentials(url: URL | string): void {
  const base = globalThis.location?.href;
  const { username, password } = URL.canParse(url, base) ? new URL(url, base) : { username: '', password: '' };
  if (username !== '' || password !== '') throw invalidInput('the URL contains credentials: expected them in a header');
}

/** Returns the caller's own signal: that of a request made of it is lost with the request. */
function signalOf(input: RequestInfo | URL, init: RequestInit): AbortSignal | null | undefined {
  if (init.signal !== undefined) return init.signal;
  return input instanceof Request ? input.signal : undefined;
}

/** Returns the settings of a request object, which a request of the same content is to have. */
function settingsOf(input: RequestInfo | URL): RequestInit {
  if (!(input instanceof Request)) return {};
  const { cache, credentials, integrity, keepalive, mode, referrerPolicy } = input;
  return { cache, credentials, integrity, keepalive, referrerPolicy, ...(mode === 'navigate' ? {} : { mode }) };
}

/** Returns the settings that are not sent, such as a dispatcher of Node.js. */
function rest(init: RequestInit): RequestInit {
  const { body: _body, headers: _headers, method: _method, signal: _signal, redirect: _redirect, ...settings } = init;
  return settings;
}

/** Returns the path and query of a request, to which a payment is bound. */
export function targetOf({ url }: PaidRequest): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/**
 * Takes the caller's idempotency key out of the request's headers.
 *
 * @throws MotifError `invalid-input` if a paywall would not take it.
 */
export function takeKey(headers: Headers): string | undefined {
  const key = headers.get(HEADER) ?? undefined;
  headers.delete(HEADER);
  if (key !== undefined && !VISIBLE.test(key)) {
    throw invalidInput('invalid idempotency key: expected 8 to 128 visible ASCII characters');
  }
  return key;
}

/** Returns what `fetch` takes to send the request, with its body. */
export function toInit(request: PaidRequest, headers: Headers): RequestInit {
  const { method, body, signal, init } = request;
  return { ...init, method, headers, signal, body: body.length === 0 ? null : body };
}
