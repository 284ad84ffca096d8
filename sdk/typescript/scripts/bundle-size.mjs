// Bundles a buyer for browsers and prints its size, compressed by brotli, with and without the module of rules.
import { brotliCompressSync } from 'node:zlib';
import { readFileSync } from 'node:fs';

import { build } from 'esbuild';

/** Maximum size of the buyer's script, bytes. */
const MAX_SCRIPT = 120 << 10;

const BUYER = `
  import { Payer, paymentOf, wrapFetchWithMotif, indexedDbState } from '@motif/sdk';
  import { sessionSigner } from '@motif/sdk/wallet';
  export { Payer, paymentOf, wrapFetchWithMotif, indexedDbState, sessionSigner };
`;

/** What uses one function is to contain little else. */
const ONE = `export { sha256 } from '@motif/sdk';`;
const MAX_ONE = 1 << 10;

const brotli = (bytes) => brotliCompressSync(bytes).length;
async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0].contents;
}

const [script, one] = await Promise.all([bundle(BUYER), bundle(ONE)]);
const core = readFileSync(new URL('../dist/motif_core.wasm', import.meta.url));
const sizes = { script: script.length, script_brotli: brotli(script), core: core.length, core_brotli: brotli(core) };
console.log(JSON.stringify({ ...sizes, total_brotli: sizes.script_brotli + sizes.core_brotli, one: one.length }));
if (sizes.script_brotli > MAX_SCRIPT) {
  console.error(`the buyer's script has ${sizes.script_brotli} bytes: expected at most ${MAX_SCRIPT}`);
  process.exit(1);
}
if (one.length > MAX_ONE) {
  console.error(`a script with one function has ${one.length} bytes: expected at most ${MAX_ONE}`);
  process.exit(1);
}
