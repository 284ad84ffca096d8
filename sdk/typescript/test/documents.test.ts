// Commands and scripts of the documents, as pasted into one shell: the walkthrough, the paywall, the quick start, and the
// shortest ways of docs/clients.md.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ROOT, blocks } from './support/documents.js';
import { BINARY, HAS_BINARY, freePort } from './support/localnet.js';

const run = promisify(execFile);

describe.skipIf(!HAS_BINARY)('documents', () => {
  let folder: string;
  /** Addresses of the documents, and those of this test. */
  let places: [string, string][];
  let env: NodeJS.ProcessEnv;

  const replaced = (text: string) => places.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'motif-documents-'));
    const [rpc, gateway, paywall, server] = [
      await freePort(2),
      await freePort(1),
      await freePort(1),
      await freePort(1),
    ];
    places = [
      ['127.0.0.1:8899', `127.0.0.1:${rpc}`],
      ['127.0.0.1:8787', `127.0.0.1:${gateway}`],
      ['127.0.0.1:8790', `127.0.0.1:${paywall}`],
      ['127.0.0.1:8789', `127.0.0.1:${server}`],
      ['motif model-server &', `motif model-server --listen 127.0.0.1:${server} &`],
    ];
    for (const name of ['app/cli/assets', 'docs/examples']) {
      await mkdir(join(folder, dirname(name)), { recursive: true });
      await cp(join(ROOT, name), join(folder, name), { recursive: true });
    }
    const routes = join(folder, 'docs/examples/paywall.toml');
    await writeFile(routes, replaced(await readFile(routes, 'utf8')));
    await writeFile(join(folder, 'package.json'), '{ "private": true }');
    const packed = ['pack', '--ignore-scripts', '--pack-destination', folder];
    await run('npm', packed, { cwd: join(ROOT, 'sdk/typescript') });
    env = {
      ...process.env,
      PATH: `${dirname(BINARY)}:${process.env['PATH']}`,
      MOTIF_RPC_URL: `http://127.0.0.1:${rpc}`,
      MOTIF_GATEWAY_URL: `http://127.0.0.1:${gateway}`,
      MOTIF_PAYWALL_URL: `http://127.0.0.1:${paywall}`,
      MOTIF_WAIT_SECONDS: '20',
      npm_config_offline: 'true',
      npm_config_cache: join(folder, 'npm-cache'),
    };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('quick start and shortest way work as pasted', async () => {
    const [walkthrough] = await blocks('README.md', 'Walkthrough', 'sh');
    const [paywall] = await blocks('README.md', 'Paywall for a model server', 'sh');
    const [opening] = await blocks('sdk/typescript/README.md', 'Quick start', 'sh');
    const [quickStart] = await blocks('sdk/typescript/README.md', 'Quick start', 'js');
    const [shortest] = await blocks('docs/clients.md', 'Buy many answers', 'js');
    // The package is packed above, because `npm ci` needs a network.
    const [install, channel] = opening!.split('\n');
    const installation = install!.split(' && ').at(-1)!;
    await writeFile(join(folder, 'buy.mjs'), quickStart!);
    const shown = 'console.log(picture.status, picture.headers.get("content-type")); await payer.close();';
    await writeFile(join(folder, 'shortest.mjs'), replaced(`${shortest}${shown}`));
    const script = [
      "set -em; trap 'kill $(jobs -p)' EXIT",
      `{ ${walkthrough}`,
      `${replaced(paywall!)}`,
      `${installation}`,
      '} >&2',
      `${channel}`,
      'node buy.mjs; node buy.mjs; node shortest.mjs',
    ];
    const options = { cwd: folder, env, timeout: 110_000 };
    const { stdout } = await run('bash', ['-c', script.join('\n')], options);
    const bought = '200 \\d+ bytes\npaid 1020n receipt [0-9a-f]{64}\n';
    expect(stdout).toMatch(new RegExp(`^${bought}${bought}200 image/png\n$`));
  }, 120_000);
});
