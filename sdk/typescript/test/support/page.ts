// Script of the page that the browser's test opens: it is bundled for browsers.
import { Payer, indexedDbState, paymentOf, wrapFetchWithMotif } from '@motif/sdk';
import { examineInWorker } from '@motif/sdk/content';
import { deleteSessionKey, sessionSigner } from '@motif/sdk/wallet';

let payer: Payer | undefined;

const page = {
  /** Returns the address of the page's session key. */
  key: async () => (await sessionSigner('payer')).address,
  /** Returns whether the session key can be exported. */
  canExport: async () => {
    const request = indexedDB.open('motif-session');
    const database = await new Promise<IDBDatabase>((resolve) => (request.onsuccess = () => resolve(request.result)));
    const read = database.transaction('keys').objectStore('keys').get('payer');
    const keys = await new Promise<CryptoKeyPair>((resolve) => (read.onsuccess = () => resolve(read.result)));
    const exported = await crypto.subtle.exportKey('pkcs8', keys.privateKey).catch(() => undefined);
    return exported !== undefined;
  },
  open: async (channel: string) => {
    const options = { gateway: location.origin, rpc: `${location.origin}/rpc`, channel };
    payer = await Payer.open({ ...options, signer: await sessionSigner('payer'), state: indexedDbState(channel) });
    return String(payer.spent);
  },
  buy: async (path: string, body: string) => {
    if (!payer) throw new Error('open the payer first');
    const buy = wrapFetchWithMotif(fetch, payer, { maxPrice: 10_000n });
    const response = await buy(path, { method: 'POST', body });
    const text = await response.text();
    return { text, receipts: paymentOf(response)?.receipts.length, spent: String(payer.spent) };
  },
  examine: async (bytes: number[]) => examineInWorker(Uint8Array.from(bytes)),
  deleteKey: () => deleteSessionKey('payer'),
};

export type Page = typeof page;

declare global {
  var page: Page;
}
globalThis.page = page;
