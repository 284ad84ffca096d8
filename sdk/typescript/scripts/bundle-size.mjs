// Bundles a buyer for browsers, and prints its size compressed by brotli, with the modules of rules that it loads.
// Node.js compresses with quality 11 by default, as servers do for files that they compress in advance.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { build } from 'esbuild';

/** Maximum size of a buyer, script and modules, compressed, bytes. */
const MAX_BUYER = 120_000;

const BUYER = `
  import { Payer, paymentOf, wrapFetchWithMotif, indexedDbState } from '@motif/sdk';
  import { sessionSigner } from '@motif/sdk/wallet';
  export { Payer, paymentOf, wrapFetchWithMotif, indexedDbState, sessionSigner };
`;

/** What uses one function is to contain little else. */
const ONE = `export { sha256 } from '@motif/sdk';`;
const MAX_ONE = 1 << 10;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const brotli = (bytes) => brotliCompressSync(bytes).length;

async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0].contents;
}

/** Runs a buyer's script until it reads the chain; returns the modules that it has fetched. */
async function modulesOf(script) {
  const folder = await mkdtemp(join(ROOT, 'dist/size-'));
  const modules = new Map();
  globalThis.fetch = async (url) => {
    const bytes = readFileSync(new URL(url));
    modules.set(new URL(url).pathname.split('/').at(-1), bytes);
    return new Response(bytes);
  };
  try {
    const file = join(folder, 'buyer.mjs');
    await writeFile(file, script);
    const { Payer } = await import(pathToFileURL(file).href);
    const read = new Error('the chain is read');
    const rpc = { readAccount: async () => Promise.reject(read) };
    const [channel, signer] = ['1'.repeat(32), { address: '1'.repeat(32), sign: async () => new Uint8Array(64) }];
    const opened = Payer.open({ gateway: 'http://127.0.0.1:1', rpc, channel, signer });
    await opened.catch((error) => {
      if (error !== read) throw error;
    });
    return modules;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const [script, one] = await Promise.all([bundle(BUYER), bundle(ONE)]);
const modules = await modulesOf(script);
const sizes = Object.fromEntries([['script', script], ...modules].map(([name, bytes]) => [name, brotli(bytes)]));
const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
console.log(JSON.stringify({ ...sizes, total, one: one.length }));
if (modules.size === 0 || total > MAX_BUYER) {
  console.error(`a buyer has ${total} bytes: expected at most ${MAX_BUYER}, with a module`);
  process.exit(1);
}
if (one.length > MAX_ONE) {
  console.error(`a script with one function has ${one.length} bytes: expected at most ${MAX_ONE}`);
  process.exit(1);
}
