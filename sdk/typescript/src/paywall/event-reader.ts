import { concat } from '../bytes.js';
import { UnreachableError, UntrustedError } from '../errors.js';

const LINE_FEED = 10;

/** Splits a body into server-sent events. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #maxBytes: number;
  readonly #url: string;
  /** Chunks of the event that has begun. */
  #chunks: Uint8Array[] = [];
  #length = 0;
  #last = 0;
  /** Rest of the last chunk, behind an event. */
  #rest: Uint8Array | undefined;

  /** @param url URL of the body, for errors. */
  constructor(body: ReadableStream<Uint8Array>, maxBytes: number, url: string) {
    this.#reader = body.getReader();
    this.#maxBytes = maxBytes;
    this.#url = url;
  }

  /**
   * Returns the bytes of the next event, its blank line included.
   *
   * @throws MotifError `unreachable`, or `untrusted` if the body ends early or an event is too long.
   */
  async next(): Promise<Uint8Array> {
    for (;;) {
      const chunk = this.#rest ?? (await this.#read());
      this.#rest = undefined;
      const end = this.#findEnd(chunk);
      this.#chunks.push(chunk.subarray(0, end));
      this.#length += end ?? chunk.length;
      if (this.#length > this.#maxBytes) throw new UntrustedError("an event exceeds this client's maximum size");
      if (end === undefined) continue;
      if (end < chunk.length) this.#rest = chunk.subarray(end);
      const event = concat(this.#chunks);
      [this.#chunks, this.#length, this.#last] = [[], 0, 0];
      return event;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }

  async #read(): Promise<Uint8Array> {
    const read = await this.#reader.read().catch((error: unknown) => {
      throw new UnreachableError(this.#url, error);
    });
    if (read.done) throw new UntrustedError('the stream ended early');
    return read.value;
  }

  /** Returns the place behind the first blank line; `undefined` without one. */
  #findEnd(chunk: Uint8Array): number | undefined {
    let last = this.#last;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index]!;
      if (byte === LINE_FEED && last === LINE_FEED) return index + 1;
      last = byte;
    }
    this.#last = last;
    return undefined;
  }
}
