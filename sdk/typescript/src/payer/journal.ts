import { concat } from '../bytes.js';
import { StateError, messageOf } from '../errors.js';
import type { OpenState } from './state-store.js';

/** Bytes after which the state is written anew; at least as long as four snapshots. */
const MIN_LONG = 1 << 20;

/** Frames of a payer's state on their way to its store. After a failure nothing more is written. */
export class Journal {
  readonly #state: OpenState;
  #buffered: Uint8Array[] = [];
  #appended = 0;
  #snapshot = 0;
  #failure: StateError | undefined;
  /** Writes go one after another. */
  #last: Promise<void> = Promise.resolve();

  constructor(state: OpenState) {
    this.#state = state;
  }

  /** Cause for which nothing more is written. */
  get failure(): StateError | undefined {
    return this.#failure;
  }

  /** Whether a snapshot is due. */
  get isLong(): boolean {
    return this.#appended > Math.max(MIN_LONG, 4 * this.#snapshot);
  }

  read(): Promise<Uint8Array> {
    return this.#state.read();
  }

  /** Appends a frame. An urgent one is durable afterwards, with those before it. */
  async append(frame: Uint8Array, isUrgent: boolean): Promise<void> {
    this.#buffered.push(frame);
    if (isUrgent) await this.flush();
  }

  /** Writes what is buffered. */
  flush(): Promise<void> {
    return this.#write(async () => {
      const frames = this.#buffered;
      if (frames.length === 0) return;
      this.#buffered = [];
      const bytes = concat(frames);
      await this.#state.append(bytes);
      this.#appended += bytes.length;
    });
  }

  /** Replaces everything by a snapshot, which is taken when its turn comes: it has what was appended before. */
  rewrite(takeSnapshot: () => Uint8Array): Promise<void> {
    return this.#write(async () => {
      const snapshot = takeSnapshot();
      this.#buffered = [];
      await this.#state.replace(snapshot);
      [this.#appended, this.#snapshot] = [0, snapshot.length];
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#state.close();
  }

  #write(work: () => Promise<void>): Promise<void> {
    const written = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      try {
        await work();
      } catch (error) {
        this.#failure = error instanceof StateError ? error : failed(error);
        throw this.#failure;
      }
    });
    this.#last = written.catch(() => undefined);
    return written;
  }
}

function failed(cause: unknown): StateError {
  return new StateError('state-failed', `the payer's state cannot be written: ${messageOf(cause)}`, { cause });
}
