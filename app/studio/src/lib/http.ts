import { RefusedError, UnreachableError, UntrustedError } from '@motif/sdk';

type Problem = RefusedError['problem'];

/** Request to the gateway that serves this page. */
export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Sent as JSON, or as it is if it is a Blob. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * Sends a request to the gateway that serves this page; returns its JSON.
 *
 * @throws RefusedError with the gateway's problem document, UnreachableError, UntrustedError.
 */
export async function ask<T>(path: string, { method = 'GET', body, headers = {} }: Ask = {}): Promise<T> {
  const text = await (await send(path, { method, body, headers })).text();
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new UntrustedError('the gateway answered something else than JSON');
  }
}

/** As {@link ask}, for a part of the gateway's interface that it may not have: returns `undefined` for 404. */
export async function askIfOffered<T>(path: string, options?: Ask): Promise<T | undefined> {
  try {
    return await ask<T>(path, options);
  } catch (error) {
    if (error instanceof RefusedError && error.problem.status === 404) return undefined;
    throw error;
  }
}

/** Sends a request to the gateway that serves this page. */
export async function send(path: string, { method = 'GET', body, headers = {} }: Ask = {}): Promise<Response> {
  const isFile = body instanceof Blob;
  const json: Record<string, string> = body === undefined || isFile ? {} : { 'content-type': 'application/json' };
  const init: RequestInit = { method, headers: { ...json, ...headers }, redirect: 'error' };
  if (body !== undefined) init.body = isFile ? body : JSON.stringify(body);
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(path, init).catch((cause: unknown) => {
      throw new UnreachableError(location.origin, cause);
    });
    if (response.ok) return response;
    const wait = Number(response.headers.get('retry-after') ?? NaN);
    const isBusy = response.status === 429 && attempt < ATTEMPTS && wait <= MOST_WAIT;
    if (!isBusy) throw await refusal(response);
    await new Promise((resolve) => setTimeout(resolve, wait * 1_000));
  }
}

/** Requests that a gateway's rate limit refuses are repeated when it says. */
const [ATTEMPTS, MOST_WAIT] = [4, 5];

async function refusal(response: Response): Promise<RefusedError> {
  const { status } = response;
  const document = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const detail = typeof document.detail === 'string' ? document.detail : `the gateway answered with status ${status}`;
  const type = typeof document.type === 'string' ? document.type : 'unknown';
  const title = typeof document.title === 'string' ? document.title : detail;
  return new RefusedError('refused', detail, { ...document, type, title, detail, status });
}
