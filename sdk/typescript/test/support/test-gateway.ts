import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { getAddressEncoder, address } from '@solana/kit';

import type { BatchedGeneration, Core, Due, PriceTag, Receipt, Voucher } from '@motif/sdk';

import { json, problem, TestServer, type Answer, type Handler, type Received } from './server.js';
import { FEE_BPS, sha256, type World } from './world.js';

export const PRICE = 100;
const PARTS = 3;
const LINES = 10;

export interface BatchRequest {
  readonly voucher: Voucher;
  readonly generations: readonly BatchedGeneration[];
}

interface StoredAnswer {
  readonly units: number;
  readonly license: number;
  readonly requestDigest: string;
  readonly body: string;
  readonly part: number;
  paid?: { readonly receipt: Receipt; readonly voucher: Voucher };
  /** Continues the stream that waits for the payment. */
  onShown?: () => void;
}

/** Ask or payment in the header `motif-payment`. */
interface PaymentHeader {
  readonly answer?: string;
  readonly voucher?: Voucher;
  readonly license?: number;
  readonly units?: number;
  readonly expires_at?: number;
}

/** What a gateway may change, to lie. */
export interface Lies {
  state?: (state: ChannelJson) => unknown;
  batch?: (request: BatchRequest, honest: () => Answer) => Answer | undefined;
  due?: (due: Due) => void;
  priceTag?: (tag: PriceTag) => void;
  /** Changes an answer of the paywall. */
  paywall?: (answer: Answer, payment: PaymentHeader) => Answer;
  /** Changes an event of a stream, breaks its connection, or closes it. */
  event?: (name: string, data: Record<string, unknown>) => [string, unknown] | 'cut' | 'close' | undefined;
}

export type ChannelJson = ReturnType<TestGateway['state']>;

/** Gateway and paywall of a test: an HTTP server that charges by a channel, honestly unless a test makes it lie. */
export class TestGateway {
  world: World;
  readonly lies: Lies = {};
  /** Answers requests that are none of a gateway's. */
  other: Handler = ({ target, method }) => json({ free: true, target, method });
  /** Batches that were received. */
  readonly heard: BatchRequest[] = [];
  /** Payments that the paywall received. */
  readonly payments: PaymentHeader[] = [];
  /** Number of answers that were made. */
  made = 0;
  /** Name of the hold that a test has asked for last. */
  held = '';
  #server!: TestServer;
  #units = 0;
  #position = 0;
  #voucher: Voucher | null = null;
  readonly #batches = new Map<string, Answer>();
  readonly #answers = new Map<string, StoredAnswer>();

  private constructor(world: World) {
    this.world = world;
  }

  static async start(world: World): Promise<TestGateway> {
    const gateway = new TestGateway(world);
    gateway.#server = await TestServer.start((received, response) => gateway.#handle(received, response));
    return gateway;
  }

  get url(): string {
    return this.#server.url;
  }

  get core(): Core {
    return this.world.core;
  }

  /** Names of the answers that were made. */
  get answers(): string[] {
    return [...this.#answers.keys()];
  }

  /** Total that the channel owes. */
  get owed(): number {
    return totalOf(this.#units);
  }

  /** Loses what it charges after this call, when the returned function is called. */
  remember(): () => void {
    const [units, position, voucher] = [this.#units, this.#position, this.#voucher];
    return () => {
      [this.#units, this.#position, this.#voucher] = [units, position, voucher];
      this.#batches.clear();
    };
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** Returns the true state of the channel. */
  state() {
    const decoded = this.core.call('account.decode', {}, this.world.account(this.world.channel));
    if (decoded.kind !== 'channel') throw new Error('not a channel');
    const { payer, operator, mint, voucher_key, cluster, opened_slot, deposited } = decoded.channel;
    const cumulative = String(this.owed);
    const entries = this.#units === 0 ? [] : [{ license: 0, units: this.#units }];
    const prices = String(this.#units * PRICE);
    const open = { statement: 0, receipts: this.#position, prices, cumulative, entries, voucher: this.#voucher };
    return {
      channel: this.world.channel as string,
      payer,
      operator,
      mint,
      voucher_key,
      cluster,
      opened_slot,
      operator_fee_bps: FEE_BPS,
      grace_seconds: 3_600,
      closes_at: null,
      deposited,
      upfront_fees: '0',
      cumulative,
      available: String(Number(deposited) - this.owed),
      licenses: [],
      unsettled: [] as unknown[],
      open,
    };
  }

  /** Returns a receipt for a generation of a batch, signed by the operator. */
  receipt(request: BatchRequest, generation: BatchedGeneration, changes: Partial<Receipt> = {}): Receipt {
    const unsigned: Receipt = {
      digest: '0'.repeat(64),
      channel: this.world.channel,
      opened_slot: request.voucher.opened_slot,
      statement: 0,
      position: this.#position,
      license: generation.license,
      units: generation.units,
      terms_number: 1,
      amount: String(generation.units * PRICE),
      cumulative: request.voucher.cumulative,
      work: this.world.work,
      request_digest: generation.request_digest,
      output_digest: generation.output_digest,
      issued_at: Math.floor(Date.now() / 1_000),
      signature: '0'.repeat(128),
      ...changes,
    };
    return this.sign(unsigned);
  }

  /** Signs a receipt with the operator's key. */
  sign(receipt: Receipt, key = this.world.operator): Receipt {
    const { digest, bytes } = this.core.call('receipt.digest', { receipt });
    return { ...receipt, digest, signature: key.sign(bytes) };
  }

  #handle(received: Received, response: ServerResponse): Answer | undefined | Promise<Answer | undefined> {
    const { method, target } = received;
    const path = target.split('?')[0] ?? '';
    if (path === '/v1/channels' || (method === 'GET' && path.startsWith('/v1/channels/'))) {
      const state = this.state();
      const said = this.lies.state ? this.lies.state(state) : state;
      return typeof said === 'string' ? { ...json(null), body: said } : json(said);
    }
    if (path.endsWith('/batches')) return this.#batch(received);
    if (path.endsWith('/holds')) this.held = this.#holdName(String(received.headers['idempotency-key']));
    if (path === '/images' || path === '/pictures' || path === '/stories') return this.#paywall(received, response);
    return this.other(received, response);
  }

  #batch({ headers, body }: Received): Answer {
    const request = JSON.parse(body) as BatchRequest;
    this.heard.push(request);
    const key = String(headers['idempotency-key']);
    const honest = () => this.#batches.get(key) ?? this.#charge(key, request);
    return this.lies.batch?.(request, honest) ?? honest();
  }

  #charge(key: string, request: BatchRequest): Answer {
    const units = request.generations.reduce((sum, one) => sum + one.units, 0);
    const expected = totalOf(this.#units + units);
    const { voucher } = request;
    this.core.call('voucher.verify', { voucher, key: this.world.voucherAddress });
    if (voucher.cumulative !== String(expected) || voucher.statement !== 0) {
      const entries = [{ license: 0, units: this.#units + units }];
      return problem('wrong-price', 409, { expected: { statement: 0, cumulative: String(expected), entries } });
    }
    const receipts = request.generations.map((generation) => {
      const receipt = this.receipt(request, generation);
      this.#position += 1;
      this.#capture(generation, receipt, voucher);
      return receipt;
    });
    this.#units += units;
    this.#voucher = voucher;
    const answer = json({ receipts });
    this.#batches.set(key, answer);
    return answer;
  }

  #capture({ captures }: BatchedGeneration, receipt: Receipt, voucher: Voucher): void {
    if (!captures) return;
    const answer = this.#answers.get('hold' in captures ? captures.hold : captures.part);
    if (answer) answer.paid = { receipt, voucher };
  }

  async #paywall(received: Received, response: ServerResponse): Promise<Answer | undefined> {
    const header = received.headers['motif-payment'];
    if (header === undefined) return this.#priceTag(received.target);
    const payment = JSON.parse(Buffer.from(String(header), 'base64url').toString()) as PaymentHeader;
    this.payments.push(payment);
    const answer = payment.answer === undefined ? await this.#ask(received, payment, response) : this.#show(payment);
    return answer && (this.lies.paywall?.(answer, payment) ?? answer);
  }

  #priceTag(target: string): Answer {
    const { operator, cluster, mint } = this.state();
    const streams = target.startsWith('/stories');
    const price_with_fee = String(totalOf(1));
    const tag: PriceTag = {
      operator,
      cluster,
      quote: {
        work: this.world.work,
        use: 'generate',
        unit: 'generation',
        price: String(PRICE),
        operator_fee_bps: FEE_BPS,
        price_with_fee,
        currency: mint,
        terms_number: 1,
        terms_digest: '0'.repeat(64),
        upfront_fee: '0',
        free_units: 0,
      },
      fixed_units: target.startsWith('/pictures') ? 1 : null,
      most_units: target.startsWith('/images') ? 4 : 1,
      streams,
      hold_seconds: 60,
    };
    this.lies.priceTag?.(tag);
    return problem('payment-required', 402, {}, { 'motif-payment-required': encode({ 'price-tag': tag }) });
  }

  async #ask(received: Received, payment: PaymentHeader, response: ServerResponse): Promise<Answer | undefined> {
    const name = this.#holdName(String(received.headers['idempotency-key']));
    if (received.target.startsWith('/stories')) return this.#stream(name, received, response);
    const known = this.#answers.get(name);
    if (known?.paid) return this.#deliver(known);
    const answer = known ?? this.#make(name, received, 0);
    if (payment.units !== undefined && payment.units < answer.units) return problem('units-above-held', 502);
    return problem('payment-required', 402, {}, { 'motif-payment-required': encode({ due: this.#due(name, answer) }) });
  }

  #make(name: string, { method, target, body }: Received, part: number): StoredAnswer {
    this.made += 1;
    const { count = 1 } = JSON.parse(body || '{}') as { count?: number };
    const requestDigest = this.core.call('request.digest', { method, target }, new TextEncoder().encode(body)).digest;
    const isPart = target.startsWith('/stories');
    const text = isPart ? `part ${part}\n`.repeat(LINES) : `picture for ${body}`;
    const answer: StoredAnswer = { units: isPart ? 1 : count, license: 0, requestDigest, body: text, part };
    this.#answers.set(name, answer);
    return answer;
  }

  #due(name: string, answer: StoredAnswer): Due {
    const units = this.#units + answer.units;
    const due: Due = {
      answer: name,
      part: answer.part,
      license: answer.license,
      units: answer.units,
      price: String(answer.units * PRICE),
      request_digest: answer.requestDigest,
      output_digest: sha256(answer.body),
      expires_at: Math.floor(Date.now() / 1_000) + 60,
      expected: { statement: 0, cumulative: String(totalOf(units)), entries: [{ license: 0, units }] },
    };
    this.lies.due?.(due);
    return due;
  }

  #show(payment: PaymentHeader): Answer {
    const answer = this.#answers.get(payment.answer ?? '');
    if (!answer?.paid || answer.paid.voucher.signature !== payment.voucher?.signature) {
      return problem('payment-required', 402);
    }
    answer.onShown?.();
    return this.#deliver(answer);
  }

  #deliver(answer: StoredAnswer): Answer {
    const headers = { 'content-type': 'text/plain', 'motif-receipt': encode(answer.paid?.receipt) };
    return { status: 200, headers, body: answer.body };
  }

  async #stream(name: string, received: Received, response: ServerResponse): Promise<undefined> {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'motif-content-type': 'text/plain' });
    response.write(': a comment\n\n');
    for (let part = 0; part < PARTS; part++) {
      const own = part === 0 ? name : partName(name, part);
      const answer = this.#make(own, received, part);
      const shown = new Promise<void>((resolve) => (answer.onShown = resolve));
      if (!this.#write(response, 'due', this.#due(own, answer) as unknown as Record<string, unknown>)) return undefined;
      await shown;
      const output = { part, body: Buffer.from(answer.body).toString('base64'), receipt: answer.paid?.receipt };
      if (!this.#write(response, 'output', output)) return undefined;
    }
    const bytes = PARTS * `part 0\n`.length * LINES;
    this.#write(response, 'end', { parts: PARTS, units: PARTS, bytes, last_receipt: null });
    response.end();
    return undefined;
  }

  /** Writes an event; returns whether the stream goes on. */
  #write(response: ServerResponse, name: string, data: Record<string, unknown>): boolean {
    const changed = this.lies.event?.(name, data) ?? ([name, data] as const);
    if (changed === 'cut' || changed === 'close') {
      if (changed === 'cut') response.destroy();
      else response.end();
      return false;
    }
    response.write(`event: ${changed[0]}\ndata: ${JSON.stringify(changed[1])}\n\n`);
    return true;
  }

  #holdName(key: string): string {
    const slot = Buffer.alloc(8);
    slot.writeBigUInt64LE(BigInt(this.state().opened_slot));
    const channel = getAddressEncoder().encode(address(this.world.channel));
    return createHash('sha256').update(Uint8Array.from(channel)).update(slot).update(key).digest('hex');
  }
}

/** Returns the name of a later part of a stream. */
export function partName(hold: string, part: number): string {
  const number = Buffer.alloc(4);
  number.writeUInt32LE(part);
  return createHash('sha256').update(Buffer.from(hold, 'hex')).update(number).digest('hex');
}

/** Returns the total of units with the fee, which is a floor. */
function totalOf(units: number): number {
  return units * PRICE + Math.floor((units * PRICE * FEE_BPS) / 10_000);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
