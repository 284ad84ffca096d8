import { concat } from '../bytes.js';
import { MotifError, RefusedError, UnreachableError, UntrustedError } from '../errors.js';
import { pause } from '../clock.js';
import type { Problem } from '../wire.js';

/** Function with the interface of `fetch`. */
export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

/** Response whose body has been read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly url: string;
}

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;
const decoder = new TextDecoder();

/** Returns a URL, unless it contains a name or password, which `fetch` would show in its errors. */
export function assertNoCredentials(url: string): string {
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: '', password: '' };
  if (username !== '' || password !== '') {
    throw new MotifError('invalid-input', 'a URL contains credentials: expected them in a header or an API key');
  }
  return url;
}

/** Sends a request once and reads its answer. */
export async function exchange(fetch: Fetch, url: string, init: RequestInit, maxBytes?: number): Promise<Answered> {
  let answered: Answered;
  try {
    const response = await fetch(url, init);
    const { status, headers } = response;
    answered = { status, headers, body: await readBody(response, maxBytes), url: response.url || url };
  } catch (error) {
    if (error instanceof MotifError || init.signal?.aborted) throw error;
    throw new UnreachableError(url, error);
  }
  return answered;
}

/** Reads the body of a response of at most `maxBytes`. */
export async function readBody(response: Response, maxBytes = Infinity): Promise<Uint8Array<ArrayBuffer>> {
  if (maxBytes === Infinity || !response.body) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new UntrustedError(`an answer exceeds this client's maximum of ${maxBytes} bytes`);
    }
    chunks.push(next.value);
  }
  return concat(chunks);
}

/**
 * Repeats an attempt while it throws what `isTransient` accepts, for `patience` milliseconds.
 *
 * @throws The error of the last attempt.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  isTransient: (error: unknown) => boolean,
  patience: number,
  signal?: AbortSignal | null,
): Promise<T> {
  const deadline = Date.now() + patience;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(LONGEST_PAUSE, wait * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) || Date.now() >= deadline) throw error;
    }
    await pause(wait, signal);
  }
}

/** Returns the problem document in a body; `undefined` if it is none. */
export function readProblem(body: Uint8Array): Problem | undefined {
  try {
    const problem: unknown = JSON.parse(decoder.decode(body));
    return isProblem(problem) ? problem : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the error of a refusal. */
export function refusal(status: number, body: Uint8Array): MotifError {
  const problem = readProblem(body);
  if (!problem) return new UntrustedError(`status ${status} with an unreadable body`);
  return new RefusedError('refused', problemText(problem), problem);
}

/** Returns what a problem document says, in one line. */
export function problemText(problem: Problem): string {
  return `${problem.detail} (${problem.type}, ${problem.status})`;
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const { type, title, status, detail } = value as Record<string, unknown>;
  const texts = [type, title, detail].every((text) => typeof text === 'string');
  return texts && Number.isInteger(status);
}

/** Parses the JSON of a successful answer. */
export function readJson<T>({ status, body }: Answered): T {
  if (status < 200 || status >= 300) throw refusal(status, body);
  try {
    return JSON.parse(decoder.decode(body)) as T;
  } catch {
    throw new UntrustedError(`status ${status} with an unreadable body`);
  }
}

/** Returns the text of a body. */
export function readText(body: Uint8Array): string {
  return decoder.decode(body);
}
