import { createHash } from 'node:crypto';
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';

import { now } from '../clock.js';
import type { Purchase } from '../core/types.js';
import { StateError, messageOf } from '../errors.js';
import type { PurchaseLog } from '../paywall/purchases.js';

/** Line of the file. */
interface Entry {
  /** SHA-256 of the name. */
  readonly name: string;
  readonly purchase: Purchase;
}

/** Time for which a purchase is kept after it can be paid, seconds. */
const KEPT_SECONDS = 86_400;
const PRIVATE = 0o600;

/**
 * Purchases in a file: a request with the same idempotency key is paid once, also by the next process.
 *
 * One process at a time uses the file. URLs are in it as digests.
 */
export class FilePurchases implements PurchaseLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #purchases: Map<string, Purchase>;
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle, purchases: Map<string, Purchase>) {
    this.#path = path;
    this.#file = file;
    this.#purchases = purchases;
  }

  /**
   * Opens a file, or creates it, and leaves out what has expired.
   *
   * @throws StateError `state-failed`.
   */
  static async open(path: string): Promise<FilePurchases> {
    try {
      const kept = (await readEntries(path)).filter(({ purchase }) => purchase.expires_at + KEPT_SECONDS > now());
      const temporary = `${path}.writing`;
      const file = await open(temporary, 'w', PRIVATE);
      await file.writeFile(kept.map(toLine).join(''));
      await file.sync();
      await rename(temporary, path);
      return new FilePurchases(path, file, new Map(kept.map(({ name, purchase }) => [name, purchase])));
    } catch (error) {
      throw failed(path, error);
    }
  }

  get(name: string): Purchase | undefined {
    return this.#purchases.get(digestOf(name));
  }

  /** Keeps a purchase durably. */
  async set(name: string, purchase: Purchase): Promise<void> {
    const entry = { name: digestOf(name), purchase };
    this.#purchases.set(entry.name, purchase);
    const written = this.#last.then(async () => {
      await this.#file.writeFile(toLine(entry));
      await this.#file.datasync();
    });
    this.#last = written.catch(() => undefined);
    await written.catch((error: unknown) => {
      throw failed(this.#path, error);
    });
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }
}

async function readEntries(path: string): Promise<Entry[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Entry];
    } catch {
      return []; // an empty line, or one that a killed process wrote in part
    }
  });
}

function toLine(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function failed(path: string, cause: unknown): StateError {
  return new StateError('state-failed', `the purchases in ${path}: ${messageOf(cause)}`, { cause });
}
