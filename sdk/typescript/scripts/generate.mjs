// Writes what is generated in `src`: the clients of both programs, by the recipe in `tests/codama`, and the types of the
// gateway's interface, from its OpenAPI document.
//
//     npm ci --prefix ../../tests/codama && node scripts/generate.mjs [--check]
//
// Node.js resolves only full file names, and Codama's renderer leaves them out: this script completes every relative
// import. `--check` writes nothing and fails if the committed files differ.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import openapiTS, { astToString } from 'openapi-typescript';

const here = dirname(fileURLToPath(import.meta.url));
const recipe = join(here, '../../../tests/codama/generate.mjs');
const openapi = join(here, '../../../app/gateway/openapi.json');
const source = join(here, '../src');
/** Generated files and folders, relative to `src`. */
const TARGETS = ['programs/generated', 'gateway/schema.ts'];
const RELATIVE_IMPORT = /(from ['"])(\.{1,2}(?:\/[^'"]*)?)(['"])/g;

function files(directory) {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Returns a relative import with its file name. */
function complete(file, specifier) {
  const path = join(dirname(file), specifier);
  if (existsSync(`${path}.ts`)) return `${specifier}.js`;
  if (existsSync(join(path, 'index.ts'))) return `${specifier}/index.js`;
  throw new Error(`${file} imports ${specifier}, which does not exist`);
}

async function render() {
  const directory = mkdtempSync(join(tmpdir(), 'motif-generate-'));
  execFileSync(process.execPath, [recipe, directory], { stdio: 'inherit' });
  const programs = join(directory, 'src', TARGETS[0]);
  cpSync(join(directory, 'complete'), programs, { recursive: true });
  for (const file of files(programs)) {
    const text = readFileSync(file, 'utf8');
    const imports = (_, before, specifier, after) => before + complete(file, specifier) + after;
    writeFileSync(file, `${text.replace(RELATIVE_IMPORT, imports).trimEnd()}\n`);
  }
  const schema = join(directory, 'src', TARGETS[1]);
  mkdirSync(dirname(schema), { recursive: true });
  writeFileSync(schema, astToString(await openapiTS(JSON.parse(readFileSync(openapi, 'utf8')))));
  return directory;
}

function texts(root) {
  const read = TARGETS.map((name) => join(root, name)).filter((path) => existsSync(path));
  const all = read.flatMap((path) => (path.endsWith('.ts') ? [path] : files(path)));
  return new Map(all.map((file) => [relative(root, file), readFileSync(file, 'utf8')]));
}

const directory = await render();
const [fresh, committed] = [texts(join(directory, 'src')), texts(source)];
if (process.argv.includes('--check')) {
  const names = [...new Set([...fresh.keys(), ...committed.keys()])].sort();
  const different = names.filter((name) => fresh.get(name) !== committed.get(name));
  if (different.length > 0) {
    console.error(`run \`npm run generate\`: these differ from idl or openapi.json\n  ${different.join('\n  ')}`);
    process.exitCode = 1;
  }
} else {
  for (const name of TARGETS) {
    rmSync(join(source, name), { recursive: true, force: true });
    cpSync(join(directory, 'src', name), join(source, name), { recursive: true });
  }
  console.log(`${fresh.size} files`);
}
rmSync(directory, { recursive: true });
