import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;
/** What the package may import: itself, and its dependencies. */
const ALLOWED = /^(\.{1,2}\/|#(worker-)?platform$|node:|@noble\/ed25519$|@solana\/kit$|@x402\/core\/types$)/;

async function files(ending: string): Promise<[string, string][]> {
  const entries = await readdir(DIST, { recursive: true });
  const names = entries.filter((name) => name.endsWith(ending));
  return Promise.all(
    names.map(async (name) => [name, (await readFile(join(DIST, name), 'utf8')).replace(COMMENT, '')]),
  );
}

test('no declaration is of type any', async () => {
  const declarations = await files('.d.ts');
  expect(declarations.length).toBeGreaterThan(100);
  expect(declarations.filter(([, text]) => /\bany\b/.test(text)).map(([name]) => name)).toEqual([]);
});

test('no declaration accepts any field', async () => {
  const own = (await files('.d.ts')).filter(([name]) => !/^(programs\/generated|gateway\/schema)/.test(name));
  expect(own.filter(([, text]) => /\[\w+: string\]:/.test(text)).map(([name]) => name)).toEqual([]);
});

test('modules import declared packages only', async () => {
  const imported = (await files('.js')).flatMap(([name, text]) => {
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)].map((match) => match[1]!);
    return specifiers.filter((specifier) => !ALLOWED.test(specifier)).map((specifier) => `${name}: ${specifier}`);
  });
  expect(imported).toEqual([]);
});

test('modules for browsers import nothing of Node.js', async () => {
  const ofNode = (await files('.js')).filter(([, text]) => text.includes("'node:") || text.includes('"node:'));
  expect(ofNode.map(([name]) => name).sort()).toEqual([
    'node/file-purchases.js',
    'node/file-state.js',
    'node/folder.js',
    'node/index.js',
    'node/lock-file.js',
    'platform/node.js',
    'platform/worker-node.js',
  ]);
});
