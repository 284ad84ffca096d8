import { concat } from '../bytes.js';
import { MotifError, RefusedError, UnreachableError, UntrustedError } from '../errors.js';
import { pause } from '../clock.js';
import type { OnRetry } from '../events.js';
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

/** Limits of one attempt. */
export interface Limits {
  /** Time from sending the request to the last byte of its answer, milliseconds. */
  readonly timeout: number;
  /** Maximum size of the answer, bytes. */
  readonly maxBytes: number;
}

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;
/** Statuses by which servers and the proxies before them say that a request may succeed later. */
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Longest time that a timer of the platform takes, milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;
const decoder = new TextDecoder();

/** Whether a status says that the request may succeed later. */
export function isBusy(status: number): boolean {
  return BUSY.has(status);
}

/** Runs work with a signal that aborts with the caller's, or after `timeout` milliseconds. */
export async function within<T>(
  timeout: number,
  caller: AbortSignal | null | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const error = new DOMException(`no answer within ${timeout} ms`, 'TimeoutError');
  const timer = setTimeout(() => late.abort(error), Math.min(timeout, LONGEST_TIMER));
  try {
    return await work(caller ? AbortSignal.any([caller, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Sends a request once and reads its answer.
 *
 * @throws UnreachableError without an answer in time; the reason of the caller's signal.
 */
export async function exchange(fetch: Fetch, url: string, init: RequestInit, limits: Limits): Promise<Answered> {
  try {
    return await within(limits.timeout, init.signal, async (signal) => {
      const response = await fetch(url, { ...init, signal });
      const { status, headers } = response;
      return { status, headers, body: await readBody(response, limits.maxBytes), url: response.url || url };
    });
  } catch (error) {
    if (error instanceof MotifError || init.signal?.aborted) throw error;
    throw new UnreachableError(url, error);
  }
}

/** Reads the body of a response of at most `maxBytes`. */
export async function readBody(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > maxBytes) {
      await reader.cancel().catch(() => undefined);
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
  { signal, onRetry }: { readonly signal?: AbortSignal; readonly onRetry?: OnRetry } = {},
): Promise<T> {
  const deadline = Date.now() + patience;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(LONGEST_PAUSE, wait * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) || Date.now() >= deadline) throw error;
      onRetry?.(error, wait);
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

/** Whether a value is an object of JSON, or an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isProblem(value: unknown): value is Problem {
  if (!isRecord(value)) return false;
  const { type, title, status, detail } = value;
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
