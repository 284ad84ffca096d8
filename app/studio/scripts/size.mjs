// Prints what the first load of the studio downloads, brotli, without WebAssembly; fails above 200 KB.
import { readFile, stat } from 'node:fs/promises';

const LIMIT = 200_000;
const dist = new URL('../dist/', import.meta.url);
const compressed = async (name) => (await stat(new URL(`${name}.br`, dist))).size;

/** Adds a script and everything that it imports, at once or for the page `drop`, to `seen`. */
async function follow(name, seen) {
  if (seen.has(name)) return;
  seen.add(name);
  const text = await readFile(new URL(name, dist), 'utf8');
  const imports = text.matchAll(/(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g);
  for (const [, next] of imports) await follow(`assets/${next}`, seen);
  const home = text.match(/["'`]\.\/(drop-[\w-]+\.js)["'`]/);
  if (home) await follow(`assets/${home[1]}`, seen);
}

const html = await readFile(new URL('index.html', dist), 'utf8');
const files = new Set();
for (const [, name] of html.matchAll(/(?:src|href)="\/studio\/([^"]+)"/g)) {
  if (name.endsWith('.js')) await follow(name, files);
  else files.add(name);
}
let total = Buffer.byteLength(html);
for (const name of files) total += await compressed(name);
console.log(`first load: ${total} bytes in ${files.size + 1} files, brotli, without WebAssembly (limit ${LIMIT})`);
if (total > LIMIT) process.exitCode = 1;
