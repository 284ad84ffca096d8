import { concat } from '../bytes.js';
import { StateError, messageOf } from '../errors.js';
import { assertText } from '../input.js';
import type { OpenState, StateStore } from './state-store.js';

const DATABASE = 'motif-payer';
const FRAMES = 'frames';
/** Time for which a lock is waited for, because its tab may be about to close or to reload, milliseconds. */
const MAX_WAIT = 2_000;

interface Frame {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * State of a payer in the database of a browser's origin.
 *
 * A Web Lock gives it to one tab at a time; it is free when the tab closes.
 *
 * @param name Name of the state, such as the channel's address.
 */
export function indexedDbState(name: string): StateStore {
  assertText('name of the state', name);
  return {
    async open() {
      const release = await lock(name);
      try {
        return new IndexedDbState(await openDatabase(), name, release);
      } catch (error) {
        release();
        throw failed(name, error);
      }
    },
  };
}

class IndexedDbState implements OpenState {
  readonly #database: IDBDatabase;
  readonly #name: string;
  readonly #release: () => void;

  constructor(database: IDBDatabase, name: string, release: () => void) {
    this.#database = database;
    this.#name = name;
    this.#release = release;
  }

  async read(): Promise<Uint8Array> {
    const frames = await this.#run('readonly', (store) => store.index('name').getAll(this.#name));
    return concat((frames as Frame[]).map((frame) => frame.bytes));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#run('readwrite', (store) => store.add({ name: this.#name, bytes } satisfies Frame));
  }

  async replace(bytes: Uint8Array): Promise<void> {
    await this.#run('readwrite', (store) => {
      const old = store.index('name').getAllKeys(this.#name);
      old.onsuccess = () => {
        for (const key of old.result) store.delete(key);
        store.add({ name: this.#name, bytes } satisfies Frame);
      };
      return old;
    });
  }

  async close(): Promise<void> {
    this.#database.close();
    this.#release();
  }

  /** Runs one transaction, which is on disk when it completes. */
  #run<T>(mode: IDBTransactionMode, request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(FRAMES, mode, { durability: 'strict' });
      const requested = request(transaction.objectStore(FRAMES));
      transaction.oncomplete = () => resolve(requested.result);
      transaction.onabort = () => reject(failed(this.#name, transaction.error));
    });
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(FRAMES, { autoIncrement: true });
      store.createIndex('name', 'name');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** States of this page, where the platform has no Web Locks. */
const opened = new Set<string>();

/** Locks a state, at the latest after a while, until the returned function is called. */
function lock(name: string): Promise<() => void> {
  const key = `${DATABASE}:${name}`;
  const locked = () => new StateError('state-locked', `the payer's state ${name} is in use by another tab`);
  if (!globalThis.navigator?.locks) {
    if (opened.has(key)) return Promise.reject(locked());
    opened.add(key);
    return Promise.resolve(() => opened.delete(key));
  }
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(MAX_WAIT);
    const hold = () => new Promise<void>((release) => resolve(() => release()));
    navigator.locks.request(key, { signal }, hold).catch((error: unknown) => {
      reject(signal.aborted ? locked() : error);
    });
  });
}

function failed(name: string, cause: unknown): StateError {
  return new StateError('state-failed', `the payer's state ${name}: ${messageOf(cause)}`, { cause });
}
