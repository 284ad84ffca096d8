// The packed package, installed offline into an empty folder, runs the README's quick start.
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { TestServer } from './support/server.js';
import { TestGateway } from './support/test-gateway.js';
import { World, accountsOf } from './support/world.js';

const MAX_LINES = 25;
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-quick-start-'));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: PACKAGE,
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const cache = join(folder, 'npm-cache');
  const flags = ['--offline', '--cache', cache, '--no-audit', '--no-fund'];
  await run('npm', ['install', ...flags, `./${filename}`], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function quickStart(): Promise<string> {
  const readme = await readFile(join(PACKAGE, 'README.md'), 'utf8');
  const [, script] = /^```js\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  if (script === undefined) throw new Error('the README has no quick start');
  return script;
}

test('quick start runs as pasted', async () => {
  const script = await quickStart();
  expect(script.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  const world = await World.start();
  const [rpc, gateway] = [await TestServer.start(accountsOf(world)), await TestGateway.start(world)];
  await mkdir(join(folder, 'walkthrough'));
  await writeFile(join(folder, 'walkthrough/platform.voucher.json'), world.voucherKey.keypairFile());
  await writeFile(join(folder, 'buy.mjs'), script);
  const env = {
    ...process.env,
    MOTIF_GATEWAY_URL: gateway.url,
    MOTIF_PAYWALL_URL: gateway.url,
    MOTIF_RPC_URL: rpc.url,
    MOTIF_CHANNEL: world.channel,
  };
  const { stdout } = await run(process.execPath, ['buy.mjs'], { cwd: folder, env });
  expect(stdout).toMatch(/^200 \d+ bytes\npaid 102n receipt [0-9a-f]{64}\n$/);
  expect(gateway.owed).toBe(102);
  // It continues from its state.
  await run(process.execPath, ['buy.mjs'], { cwd: folder, env });
  expect(gateway.owed).toBe(204);
  const { MOTIF_CHANNEL: _, ...unset } = env;
  const failed = await run(process.execPath, ['buy.mjs'], { cwd: folder, env: unset }).catch((error) => error);
  expect(failed.stderr).toContain('invalid channel: expected an address in base58');
  await Promise.all([rpc.stop(), gateway.stop()]);
});

test('installing runs no script', async () => {
  const { scripts } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')) as { scripts: object };
  const install = ['preinstall', 'install', 'postinstall', 'prepare'];
  expect(Object.keys(scripts).filter((name) => install.includes(name))).toEqual([]);
});

test('entry points load without optional packages', async () => {
  const script = `
    const names = ['@motif/sdk', '@motif/sdk/node', '@motif/sdk/x402', '@motif/sdk/content'];
    const modules = await Promise.all(names.map((name) => import(name)));
    await import('@motif/sdk').then(({ sessionSigner }) => sessionSigner('')).catch(({ type }) => console.log(type));
    const { digest } = await modules[3].examine(new TextEncoder().encode('a text'));
    console.log(digest, modules.every((one) => Object.keys(one).length > 0));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
  expect(stdout).toMatch(/^invalid-input\n[0-9a-f]{64} true\n$/);
});
