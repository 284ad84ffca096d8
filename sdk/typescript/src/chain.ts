import { fromBase64 } from './bytes.js';
import { MotifError, UnreachableError } from './errors.js';
import { assertNoCredentials, exchange, readJson, retry, type Fetch } from './gateway/http.js';

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

interface RpcAnswer {
  readonly result?: { readonly value: { readonly owner: string; readonly data: [string, string] } | null };
  readonly error?: { readonly code: number; readonly message: string };
}

const PATIENCE = 10_000;

/** Reads accounts by a node's JSON-RPC interface. */
export class RpcReader implements AccountReader {
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #patience: number;

  /**
   * @param options `patience`: how long unanswered requests are repeated, milliseconds, 10,000 by default.
   * @throws MotifError `invalid-input` if the URL contains credentials.
   */
  constructor(url: string, options: { readonly fetch?: Fetch; readonly patience?: number } = {}) {
    this.#url = assertNoCredentials(url);
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#patience = options.patience ?? PATIENCE;
  }

  async readAccount(address: string): Promise<ChainAccount | null> {
    const options = { encoding: 'base64', commitment: 'confirmed' };
    const call = { jsonrpc: '2.0', id: 1, method: 'getAccountInfo', params: [address, options] };
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(call) };
    const isTransient = (error: unknown) => error instanceof UnreachableError;
    const answered = await retry(() => exchange(this.#fetch, this.#url, init), isTransient, this.#patience);
    const { result, error } = readJson<RpcAnswer>(answered);
    if (error || !result) {
      throw new MotifError('rpc-failed', `the node refused to read ${address}: ${error?.message ?? 'no result'}`);
    }
    return result.value && { owner: result.value.owner, data: fromBase64(result.value.data[0]) };
  }
}
