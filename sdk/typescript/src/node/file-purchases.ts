import { createHash } from 'node:crypto';
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { now } from '../clock.js';
import type { Purchase } from '../core/types.js';
import { StateError, messageOf } from '../errors.js';
import { assertText } from '../input.js';
import type { PurchaseLog } from '../paywall/purchases.js';
import { syncFolder } from './folder.js';
import { LockFile, realPath } from './lock-file.js';

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
 * One opener at a time has the file: `<path>.lock` names its process. URLs are in the file as digests.
 */
export class FilePurchases implements PurchaseLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #lock: LockFile;
  readonly #purchases: Map<string, Purchase>;
  #last: Promise<void> = Promise.resolve();
  /** Cause for which nothing more is written. */
  #failure: StateError | undefined;

  private constructor(path: string, file: FileHandle, lock: LockFile, purchases: Map<string, Purchase>) {
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
    this.#purchases = purchases;
  }

  /**
   * Opens a file, or creates it, and leaves out what has expired.
   *
   * @throws StateError `state-locked` if it is open already, `state-invalid` if a line is none of this file,
   * `state-failed`.
   */
  static async open(at: string): Promise<FilePurchases> {
    assertText('path of the purchases', at);
    const path = await realPath(at).catch((error: unknown) => {
      throw failed(at, error);
    });
    const lock = await LockFile.acquire(`${path}.lock`, path);
    let file: FileHandle | undefined;
    try {
      const kept = (await readEntries(path)).filter(({ purchase }) => purchase.expires_at + KEPT_SECONDS > now());
      const temporary = `${path}.writing`;
      file = await open(temporary, 'w', PRIVATE);
      await file.writeFile(kept.map(toLine).join(''));
      await file.sync();
      await rename(temporary, path);
      await syncFolder(dirname(path));
      return new FilePurchases(path, file, lock, new Map(kept.map(({ name, purchase }) => [name, purchase])));
    } catch (error) {
      await file?.close().catch(() => undefined);
      await lock.release();
      throw failed(path, error);
    }
  }

  get(name: string): Purchase | undefined {
    return this.#purchases.get(digestOf(name));
  }

  /**
   * Keeps a purchase durably. After a failure nothing more is kept.
   *
   * @throws StateError `state-failed`.
   */
  set(name: string, purchase: Purchase): Promise<void> {
    const entry = { name: digestOf(name), purchase };
    const written = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      try {
        await this.#file.writeFile(toLine(entry));
        await this.#file.datasync();
      } catch (error) {
        throw (this.#failure = failed(this.#path, error));
      }
      this.#purchases.set(entry.name, purchase);
    });
    this.#last = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#failure ??= new StateError('state-failed', `the purchases in ${this.#path} are closed`);
    try {
      await this.#file.close();
    } finally {
      await this.#lock.release();
    }
  }
}

async function readEntries(path: string): Promise<Entry[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // What follows the last line feed was written in part by a process that was killed.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    const entry = parse(line);
    if (isEntry(entry)) return entry;
    const where = `line ${index + 1} of the purchases in ${path}`;
    throw new StateError('state-invalid', `${where} is none of this file: expected a name and a purchase`);
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { name, purchase } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof purchase !== 'object' || purchase === null) return false;
  const { license, units, key, request_digest, expires_at } = purchase as Record<string, unknown>;
  const isNumbers = Number.isInteger(license) && Number.isInteger(expires_at);
  return isNumbers && typeof units === 'object' && typeof key === 'string' && typeof request_digest === 'string';
}

function toLine(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`;
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function failed(path: string, cause: unknown): StateError {
  if (cause instanceof StateError) return cause;
  return new StateError('state-failed', `the purchases in ${path}: ${messageOf(cause)}`, { cause });
}
