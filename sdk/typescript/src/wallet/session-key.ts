import { StateError, messageOf } from '../errors.js';
import { assertText } from '../input.js';
import { createSigner, generateKeys, type VoucherSigner } from '../payer/signer.js';

const DATABASE = 'motif-session';
const KEYS = 'keys';

/**
 * Returns the signer of a page's session key, which is created if it does not exist.
 *
 * The key is in the browser's database for this origin and cannot be exported, also by a script of the page; a script of
 * the page can sign with it. Open the channel with a small deposit, and rotate the key if the page may have been attacked.
 *
 * @param name Name of the key, such as the payer's address.
 * @throws MotifError `signer-failed` where Web Cryptography has no Ed25519, `state-failed` without the database.
 */
export async function sessionSigner(name: string): Promise<VoucherSigner> {
  assertText('name of the session key', name);
  const database = await openDatabase();
  try {
    const known = await run<CryptoKeyPair | undefined>(database, 'readonly', (keys) => keys.get(name));
    return await createSigner(known ?? (await create(database, name)));
  } finally {
    database.close();
  }
}

/** Deletes a session key. Vouchers that it has signed stay valid. */
export async function deleteSessionKey(name: string): Promise<void> {
  assertText('name of the session key', name);
  const database = await openDatabase();
  try {
    await run(database, 'readwrite', (keys) => keys.delete(name));
  } finally {
    database.close();
  }
}

async function create(database: IDBDatabase, name: string): Promise<CryptoKeyPair> {
  const keys = await generateKeys();
  try {
    await run(database, 'readwrite', (store) => store.add(keys, name));
    return keys;
  } catch (error) {
    // Another tab has created it meanwhile.
    const known = await run<CryptoKeyPair | undefined>(database, 'readonly', (store) => store.get(name));
    if (known) return known;
    throw error;
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }).catch((cause: unknown) => {
    throw new StateError('state-failed', `the session keys: ${messageOf(cause)}`, { cause });
  });
}

function run<T>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  request: (store: IDBObjectStore) => IDBRequest,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(KEYS, mode, { durability: 'strict' });
    const requested = request(transaction.objectStore(KEYS));
    transaction.oncomplete = () => resolve(requested.result);
    transaction.onabort = () => {
      const { error } = transaction;
      reject(new StateError('state-failed', `the session keys: ${messageOf(error)}`, { cause: error }));
    };
  });
}
