// Builds dist/ and manifest.json, or compares a build with the committed one: node scripts/build.mjs [--check]
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

import { build } from 'vite';

const folder = fileURLToPath(new URL('..', import.meta.url));
const repository = join(folder, '../..');
const dist = join(folder, 'dist');
const manifestFile = join(folder, 'manifest.json');
/** Sources that no module of the build names. */
const SETTINGS = ['index.html', 'package-lock.json', 'package.json', 'public/icon.svg', 'scripts/build.mjs', 'tsconfig.json', 'vite.config.ts'];
const COMPRESSED = /\.(js|css|svg|wasm)$/;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const slashes = (path) => path.split(sep).join('/');

/** Builds into `out`; returns the manifest. */
async function make(out) {
  const sources = new Set(SETTINGS.map((name) => join(folder, name)));
  const collect = {
    name: 'collect-sources',
    moduleParsed({ id }) {
      const file = id.replace(/^\0/, '').replace(/\?.*$/, '');
      const isOwn = file.startsWith(repository) && !file.includes('node_modules');
      if (isOwn) sources.add(file);
    },
  };
  // The configuration's own workers have plugins of their own; their entry and its modules are added here.
  const worker = { format: 'es', plugins: () => [collect, ...workerPlugins] };
  const { default: config } = await import('vite').then(({ loadConfigFromFile }) =>
    loadConfigFromFile({ command: 'build', mode: 'production' }, join(folder, 'vite.config.ts'), folder).then((loaded) => ({ default: loaded.config })),
  );
  const workerPlugins = config.worker?.plugins?.() ?? [];
  await build({
    ...config,
    configFile: false,
    root: folder,
    logLevel: 'warn',
    plugins: [...config.plugins, collect],
    worker,
    build: { ...config.build, outDir: out, emptyOutDir: true },
  });
  const files = await list(out);
  for (const name of files.filter((one) => COMPRESSED.test(one))) {
    await writeFile(join(out, `${name}.br`), compress(await readFile(join(out, name))));
  }
  return { sources: await digests([...sources], repository), files: await digests((await list(out)).map((name) => join(out, name)), out) };
}

function compress(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params });
}

async function list(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

async function digests(paths, base) {
  const pairs = await Promise.all(paths.map(async (path) => [slashes(relative(base, path)), sha256(await readFile(path))]));
  return Object.fromEntries(pairs.sort(([one], [other]) => (one < other ? -1 : 1)));
}

const out = await mkdtemp(join(tmpdir(), 'motif-studio-'));
try {
  const manifest = await make(out);
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  if (process.argv.includes('--check')) {
    const committed = JSON.parse(await readFile(manifestFile, 'utf8'));
    const present = { sources: manifest.sources, files: await digests((await list(dist)).map((name) => join(dist, name)), dist) };
    const differences = [...compare('source', committed.sources, manifest.sources), ...compare('built file', committed.files, manifest.files), ...compare('committed file', committed.files, present.files)];
    if (differences.length > 0) {
      console.error(`${differences.join('\n')}\nThe studio differs from its sources: run \`npm run build\` and commit dist/ and manifest.json.`);
      process.exitCode = 1;
    } else console.log(`the studio is up to date: ${Object.keys(manifest.files).length} files`);
  } else {
    await rm(dist, { recursive: true, force: true });
    await cp(out, dist, { recursive: true });
    await writeFile(manifestFile, text);
    console.log(`built ${Object.keys(manifest.files).length} files from ${Object.keys(manifest.sources).length} sources`);
  }
} finally {
  await rm(out, { recursive: true, force: true });
}

function compare(what, one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => one[name] !== other[name]).map((name) => `${what} ${name} differs`);
}
