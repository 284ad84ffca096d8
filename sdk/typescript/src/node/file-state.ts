import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { StateError, messageOf } from '../errors.js';
import { assertText } from '../input.js';
import type { OpenState, StateStore } from '../payer/state-store.js';
import { syncFolder } from './folder.js';
import { LockFile, realPath } from './lock-file.js';

const PRIVATE = 0o600;

/**
 * State of a payer in a file that only its owner can read. `<path>.lock`, beside the file behind any links, names the process that has it.
 *
 * The format is that of the project's other payers, so that a state moves between them; use it by one at a time.
 */
export function fileState(at: string): StateStore {
  assertText('path of the state', at);
  return {
    async open() {
      const path = await realPath(at).catch((error: unknown) => {
        throw failed(at, error);
      });
      const lock = await LockFile.acquire(`${path}.lock`, path);
      try {
        return new FileState(path, await open(path, 'a+', PRIVATE), lock);
      } catch (error) {
        await lock.release();
        throw failed(path, error);
      }
    },
  };
}

class FileState implements OpenState {
  readonly #path: string;
  readonly #lock: LockFile;
  #file: FileHandle;

  constructor(path: string, file: FileHandle, lock: LockFile) {
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
  }

  read(): Promise<Uint8Array> {
    return this.#attempt(async () => new Uint8Array(await readFile(this.#path)));
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#attempt(async () => {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
    });
  }

  replace(bytes: Uint8Array): Promise<void> {
    return this.#attempt(async () => {
      const temporary = `${this.#path}.writing`;
      const file = await open(temporary, 'w', PRIVATE);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
      await syncFolder(dirname(this.#path));
      const replaced = this.#file;
      this.#file = await open(this.#path, 'a+', PRIVATE);
      await replaced.close();
    });
  }

  async close(): Promise<void> {
    try {
      await this.#attempt(() => this.#file.close());
    } finally {
      await this.#lock.release();
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw failed(this.#path, error);
    }
  }
}

function failed(path: string, cause: unknown): StateError {
  if (cause instanceof StateError) return cause;
  return new StateError('state-failed', `the payer's state ${path}: ${messageOf(cause)}`, { cause });
}
