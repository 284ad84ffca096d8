import { fromBase64 } from './bytes.js';
import { MotifError, UnreachableError } from './errors.js';
import { reportRetries, type EventListener, type OnRetry } from './events.js';
import { exchange, isBusy, isRecord, readText, retry, type Answered, type Fetch } from './gateway/http.js';
import { assertMilliseconds, checkAddress, checkUrl } from './input.js';

/** Account of the chain. */
export interface ChainAccount {
  /** Program that owns the account. */
  readonly owner: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Reads accounts of a Solana cluster. */
export interface AccountReader {
  /** Returns the account, or `null` if there is none. */
  readAccount(address: string): Promise<ChainAccount | null>;
}

/** Settings of an {@link RpcReader}. */
export interface RpcOptions {
  /** Default: the platform's `fetch`. */
  readonly fetch?: Fetch;
  /** How long requests are repeated that the node did not answer, or put off, milliseconds. Default: 10,000. */
  readonly patience?: number;
  /** Time limit of one attempt, milliseconds. Default: 30,000. */
  readonly timeout?: number;
  /** Receives repeated attempts. */
  readonly onEvent?: EventListener;
}

/** State of the cluster that is read, and that transactions are waited for. */
export const COMMITMENT = 'confirmed';
const PATIENCE = 10_000;
const TIMEOUT = 30_000;
/** An account has at most 10 MiB. */
const MAX_BYTES = 16 << 20;

/** The node is busy: the same request may succeed later. */
class BusyError extends MotifError {}

/** Reads accounts by a node's JSON-RPC interface. */
export class RpcReader implements AccountReader {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #patience: number;
  readonly #timeout: number;
  readonly #onRetry: OnRetry;

  /** @throws MotifError `invalid-input` if the URL is none, or contains credentials. */
  constructor(url: string, options: RpcOptions = {}) {
    this.#url = checkUrl('node', url);
    assertMilliseconds('patience', options.patience);
    assertMilliseconds('timeout', options.timeout);
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#patience = options.patience ?? PATIENCE;
    this.#timeout = options.timeout ?? TIMEOUT;
    this.#onRetry = reportRetries(options.onEvent, url);
  }

  /** Origin of the node. The rest of its URL may contain a key. */
  get origin(): string {
    return new URL(this.#url, globalThis.location?.href).origin;
  }

  /** @throws MotifError `rpc-failed` if the node refuses, `unreachable`. */
  async readAccount(address: string): Promise<ChainAccount | null> {
    checkAddress('address', address);
    const result = await this.call('getAccountInfo', [address, { encoding: 'base64', commitment: COMMITMENT }]);
    const value = isRecord(result) ? result['value'] : undefined;
    if (value === null) return null;
    const { owner, data } = isRecord(value) ? value : {};
    try {
      if (typeof owner !== 'string' || !Array.isArray(data)) throw new TypeError('other fields');
      return { owner, data: fromBase64(String(data[0])) };
    } catch {
      throw new MotifError('rpc-failed', `the node's account ${address} cannot be read`);
    }
  }

  /**
   * Calls a method of the node; returns its result.
   *
   * @throws MotifError `rpc-failed` if the node refuses, `unreachable`.
   */
  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    const limits = { timeout: this.#timeout, maxBytes: MAX_BYTES };
    const read = async () => readResult(await exchange(this.#fetch, this.#url, init, limits), method);
    const isTransient = (error: unknown) => error instanceof UnreachableError || error instanceof BusyError;
    return retry(read, isTransient, this.#patience, { onRetry: this.#onRetry });
  }
}

/** Returns the reader behind a URL, or the reader itself. */
export function readerOf(rpc: string | AccountReader, onEvent?: EventListener): AccountReader {
  if (typeof rpc === 'object' && rpc !== null && typeof rpc.readAccount === 'function') return rpc;
  return new RpcReader(rpc as string, onEvent ? { onEvent } : {});
}

/** Returns the result in a node's answer. */
function readResult({ status, body }: Answered, method: string): unknown {
  const answer = parse(body);
  const { result, error } = isRecord(answer) ? answer : {};
  if (isRecord(error)) {
    const why = typeof error['message'] === 'string' ? error['message'] : 'it states no reason';
    throw refused(status, `the node refused ${method}: ${why}`);
  }
  if (status < 200 || status >= 300 || result === undefined) {
    throw refused(status, `the node answered ${method} with status ${status} and no result`);
  }
  return result;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(readText(body));
  } catch {
    return undefined;
  }
}

function refused(status: number, message: string): MotifError {
  return isBusy(status) ? new BusyError('rpc-failed', message) : new MotifError('rpc-failed', message);
}
