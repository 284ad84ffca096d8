import { RefusedError, UnreachableError } from '../errors.js';
import { reportRetries, type EventListener } from '../events.js';
import { assertMilliseconds, assertToken, checkAddress, checkDigest, checkUrl } from '../input.js';
import { RawJson } from '../core/raw-json.js';
import type { BatchRequestText } from '../core/types.js';
import type {
  Authentication,
  AuthenticationRequest,
  ChannelState,
  Closing,
  HoldFacts,
  HoldRequest,
  LineageFacts,
  Operator,
  PaidRoutes,
  PayerProof,
  Quote,
  ReceiptPage,
  ReceiptProof,
  Settlements,
  UsageBy,
  UsageReport,
  Use,
  WorkDetails,
  WorkList,
} from '../wire.js';
import {
  exchange,
  isBusy,
  readJson,
  readProblem,
  readText,
  retry,
  refusal,
  type Answered,
  type Fetch,
} from './http.js';

/** Settings of a {@link GatewayClient}. */
export interface GatewayOptions {
  /** Token of an API key, which gateways without open access require. */
  readonly apiKey?: string;
  /** How long requests are repeated that are not answered, or put off, milliseconds. Default: 10,000. */
  readonly patience?: number;
  /** Time limit of one attempt, milliseconds. Default: 180,000, longer than a gateway needs to settle. */
  readonly timeout?: number;
  /** Maximum size of an answer, bytes. Default: 32 MiB. */
  readonly maxBytes?: number;
  /**
   * Origins of the gateway's processes. A request for a channel that another process serves is sent to that one, with the
   * API key and the payer's proof, which the gateway that names it has as well. Default: any origin that the gateway names,
   * by `https` if the gateway's own is.
   */
  readonly processes?: readonly string[];
  /** Default: the platform's `fetch`. */
  readonly fetch?: Fetch;
  /** Receives repeated attempts. */
  readonly onEvent?: EventListener;
  /** Returns the value of the header `motif-reader`, by which a channel's payer reads its state. */
  readonly reader?: () => Promise<string>;
}

interface Attempt {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  /** Whether the request proves that it comes from the channel's payer. */
  readonly isRead?: boolean;
}

const PATIENCE = 10_000;
const TIMEOUT = 180_000;
const MAX_BYTES = 32 << 20;

/**
 * Client of a gateway's HTTP interface.
 *
 * Requests are repeated that are not answered, or answered with status 429, 502, 503 or 504. This is safe: reads have no
 * effect, holds and batches have idempotency keys, and the chain settles each statement once. Methods throw
 * {@link RefusedError} with the gateway's problem document, {@link UnreachableError}, also if only a proxy answers, or
 * `UntrustedError` for an answer that cannot be parsed.
 */
export class GatewayClient {
  readonly url: string;
  readonly #options: GatewayOptions;
  readonly #fetch: Fetch;

  /** @throws MotifError `invalid-input` if the URL is none, or contains credentials. */
  constructor(url: string, options: GatewayOptions = {}) {
    this.url = checkUrl('gateway', url).replace(/\/+$/, '');
    assertMilliseconds('patience', options.patience);
    assertMilliseconds('timeout', options.timeout);
    assertToken('API key', options.apiKey);
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** How long unanswered requests are repeated, milliseconds. */
  get patience(): number {
    return this.#options.patience ?? PATIENCE;
  }

  /** Returns a client of the same gateway whose reads are those of a channel's payer. */
  withReader(reader: () => Promise<string>): GatewayClient {
    return new GatewayClient(this.url, { ...this.#options, reader });
  }

  /** Returns the operator and its conditions. */
  operator(): Promise<Operator> {
    return this.#get('/v1/operator');
  }

  /** Returns a work with its terms, relatives and earnings. */
  async work(work: string): Promise<WorkDetails> {
    return this.#get(`/v1/works/${checkAddress('work', work)}`);
  }

  /** Returns a work's ancestors and descendants. */
  async lineage(work: string): Promise<LineageFacts> {
    return this.#get(`/v1/works/${checkAddress('work', work)}/lineage`);
  }

  /** Returns a page of the works that match the query, such as `{ kind: 'image', use: 'generate' }`. */
  works(query: Record<string, string> = {}): Promise<WorkList> {
    return this.#get(`/v1/works?${new URLSearchParams(query)}`);
  }

  /** Returns the price of a use of a work. */
  async quote(work: string, use: Use): Promise<Quote> {
    return this.#get(`/v1/works/${checkAddress('work', work)}/quotes?use=${encodeURIComponent(use)}`);
  }

  /** Returns the routes behind the gateway's paywall, with their present prices. */
  paidRoutes(): Promise<PaidRoutes> {
    return this.#get('/v1/paywall');
  }

  /** Finds works and receipts for content by its digest and fingerprints. The content is not sent. */
  authenticate(request: AuthenticationRequest): Promise<Authentication> {
    return this.#post('/v1/authenticate', request);
  }

  /** Returns the proof of a settled receipt against its channel's account. */
  async proof(receipt: string): Promise<ReceiptProof> {
    return this.#get(`/v1/receipts/${checkDigest('receipt', receipt)}/proof`);
  }

  /** Returns receipts of a statement of the reader's channel, by default the open one, in order. They are not verified. */
  async receipts(
    channel: string,
    page: { statement?: number; limit?: number; offset?: number } = {},
  ): Promise<ReceiptPage> {
    return this.#read(
      `/v1/channels/${checkAddress('channel', channel)}/receipts?${queryOf({ limit: 1_000, offset: 0, ...page })}`,
    );
  }

  /** Returns usage and spending of the reader's channel, from the unix second `from` to before `until`. */
  async usage(channel: string, by: UsageBy, period: { from?: number; until?: number } = {}): Promise<UsageReport> {
    return this.#read(`/v1/channels/${checkAddress('channel', channel)}/usage?${queryOf({ by, ...period })}`);
  }

  /** Settles a channel, by a request that the payer signed. */
  async settle(channel: string, proof: PayerProof): Promise<Settlements> {
    return this.#post(`/v1/channels/${checkAddress('channel', channel)}/settlements`, proof);
  }

  /** Settles and closes a channel in its grace period, by a request that the payer signed. */
  async close(channel: string, proof: PayerProof): Promise<Closing> {
    return this.#post(`/v1/channels/${checkAddress('channel', channel)}/close`, proof);
  }

  /** Holds funds, by a request that the payer signed. */
  async hold(channel: string, key: string, request: HoldRequest): Promise<HoldFacts> {
    return this.#post(`/v1/channels/${checkAddress('channel', channel)}/holds`, request, { 'idempotency-key': key });
  }

  /** Releases a hold, by a request that the payer signed. */
  async release(hold: string, channel: string, proof: PayerProof): Promise<HoldFacts> {
    return this.#post(`/v1/holds/${checkDigest('hold', hold)}/release`, { channel, proof });
  }

  /** Registers a channel at the gateway, or makes it read the channel again. Returns the channel's state as JSON. */
  async openChannel(channel: string): Promise<RawJson> {
    const body = JSON.stringify({ channel: checkAddress('channel', channel) });
    return toRawJson(await this.#send('/v1/channels', { method: 'POST', body, isRead: true }));
  }

  /** Returns the state of the reader's channel as JSON, integers as they came. */
  async channelState(channel: string): Promise<RawJson> {
    return toRawJson(await this.#send(`/v1/channels/${checkAddress('channel', channel)}`, { isRead: true }));
  }

  /** Returns the state of the reader's channel. */
  async channel(channel: string): Promise<ChannelState> {
    return this.#read(`/v1/channels/${checkAddress('channel', channel)}`);
  }

  /** Sends a batch once; if another process of the gateway serves the channel, to that one. */
  async postBatch(channel: string, batch: BatchRequestText): Promise<Answered> {
    const headers = { 'idempotency-key': batch.key };
    return this.#follow(`/v1/channels/${checkAddress('channel', channel)}/batches`, {
      method: 'POST',
      body: batch.body,
      headers,
    });
  }

  async #get<T>(path: string): Promise<T> {
    return readJson(await this.#send(path, {}));
  }

  async #read<T>(path: string): Promise<T> {
    return readJson(await this.#send(path, { isRead: true }));
  }

  async #post<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
    return readJson(await this.#send(path, { method: 'POST', body: JSON.stringify(body), headers }));
  }

  /** Sends a request until it is answered. */
  #send(path: string, attempt: Attempt): Promise<Answered> {
    const isTransient = (error: unknown) => {
      if (!(error instanceof RefusedError)) return error instanceof UnreachableError;
      return isBusy(error.problem.status) || this.#holder(error) !== undefined;
    };
    const send = async () => {
      const answered = await this.#follow(path, attempt);
      if (answered.status >= 300) throw refusal(answered.status, answered.body);
      return answered;
    };
    const onRetry = reportRetries(this.#options.onEvent, this.url);
    return retry(send, isTransient, this.patience, { onRetry });
  }

  /** Sends a request once, and to the process that serves the channel if the answer names it. */
  async #follow(path: string, attempt: Attempt): Promise<Answered> {
    const answered = await this.#attempt(this.url, path, attempt);
    const problem = answered.status >= 300 ? readProblem(answered.body) : undefined;
    const holder = problem && this.#holder(new RefusedError('refused', problem.detail, problem));
    return holder === undefined ? answered : this.#attempt(holder, path, attempt);
  }

  async #attempt(base: string, path: string, attempt: Attempt): Promise<Answered> {
    const { apiKey, reader, timeout = TIMEOUT, maxBytes = MAX_BYTES } = this.#options;
    const headers: Record<string, string> = { ...attempt.headers };
    if (attempt.body !== undefined) headers['content-type'] = 'application/json';
    if (apiKey !== undefined) headers['authorization'] = `Bearer ${apiKey}`;
    if (attempt.isRead && reader) headers['motif-reader'] = await reader();
    const { method = 'GET', body = null } = attempt;
    // Keys and proofs follow no redirect.
    const init: RequestInit = { method, headers, body, redirect: 'error' };
    const answered = await exchange(this.#fetch, base + path, init, { timeout, maxBytes });
    if (isBusy(answered.status) && !readProblem(answered.body)) {
      throw new UnreachableError(base + path, new Error(`a proxy answered with status ${answered.status}`));
    }
    return answered;
  }

  /** Returns the process that serves the channel, if an error names one that the settings allow. */
  #holder(error: RefusedError): string | undefined {
    const { type, holder } = error.problem;
    if (type !== 'channel-held-elsewhere' || !holder || !URL.canParse(holder)) return undefined;
    const { protocol, origin } = new URL(holder);
    const isHttp = protocol === 'https:' || (protocol === 'http:' && !this.url.startsWith('https://'));
    const isAllowed = isHttp && (this.#options.processes?.includes(origin) ?? true);
    return isAllowed ? holder.replace(/\/+$/, '') : undefined;
  }
}

function toRawJson(answered: Answered): RawJson {
  readJson(answered);
  return new RawJson(readText(answered.body));
}

function queryOf(fields: Record<string, string | number>): URLSearchParams {
  return new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
