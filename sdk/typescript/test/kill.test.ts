// A process that is killed in the middle of payments: the next one resumes, and nothing is paid twice.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Payer, type PayerOptions } from '@motif/sdk';
import { fileState, keypairSigner } from '@motif/sdk/node';

import { HAS_BINARY, Localnet, PICTURE } from './support/localnet.js';
import { SlowLink } from './support/slow-link.js';

/** Prints how many payments of the last process it has completed; then pays without end, and prints each request before. */
const SCRIPT = `
  import { Payer, sha256 } from '@motif/sdk';
  import { fileState, keypairSigner } from '@motif/sdk/node';
  const { gateway, rpc, channel, key, state, first } = JSON.parse(process.argv[1]);
  const payer = await Payer.open({ gateway, rpc, channel, signer: await keypairSigner(key), state: fileState(state) });
  console.log('recovered ' + (await payer.resume()).length);
  const pay = async (caller) => {
    for (let number = 0; ; number++) {
      const requestDigest = await sha256(first + ' ' + caller + ' ' + number);
      console.log(requestDigest);
      await payer.generate({ license: 0, units: 1, requestDigest, outputDigest: requestDigest });
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, caller) => pay(caller)));
`;

describe.skipIf(!HAS_BINARY)('killed payer', () => {
  let localnet: Localnet;
  let link: SlowLink;
  let channel: string;
  /** Number of payments that were under way at a kill, and completed by the next process. */
  let recovered = 0;

  beforeAll(async () => {
    localnet = await Localnet.start(['ines', 'platform', 'gateway']);
    await localnet.serve();
    link = await SlowLink.to(localnet.gatewayUrl, 10);
    const picture = fileURLToPath(PICTURE);
    const price = ['--use', 'generate=0.001/generation', '--keypair', 'ines.json'];
    await localnet.run(['work', 'register', picture, '--kind', 'image', ...price]);
    const opened = ['channel', 'open', '--deposit', '50', '--accept', picture, '--keypair', 'platform.json'];
    channel = String((await localnet.run(opened))['channel']);
  });
  afterAll(async () => {
    await link?.stop();
    await localnet?.stop();
  });

  async function options(): Promise<PayerOptions> {
    const signer = await keypairSigner(localnet.path('platform.voucher.json'));
    const state = fileState(localnet.path('payer.state'));
    return { gateway: localnet.gatewayUrl, rpc: localnet.rpcUrl, channel, signer, state };
  }

  /** Runs the script and kills it after some payments; returns the requests that it began to pay for. */
  async function runAndKill(first: string, afterRequests: number): Promise<Set<string>> {
    const parts = { gateway: link.url, rpc: localnet.rpcUrl, channel, first };
    const paths = { key: localnet.path('platform.voucher.json'), state: localnet.path('payer.state') };
    const argument = JSON.stringify({ ...parts, ...paths });
    const command = ['--input-type=module', '-e', SCRIPT, argument];
    const child: ChildProcess = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const begun = new Set<string>();
    const lines = createInterface(child.stdout!);
    lines.on('line', (line) => {
      const [, count] = /^recovered (\d+)$/.exec(line) ?? [];
      if (count !== undefined) return void (recovered += Number(count));
      begun.add(line);
      if (begun.size === afterRequests) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    expect(begun.size).toBeGreaterThanOrEqual(afterRequests);
    return begun;
  }

  test('killed process is resumed and pays once', async () => {
    const begun = new Set<string>();
    for (const [round, count] of [30, 41, 52, 63].entries()) {
      for (const digest of await runAndKill(`round ${round}`, count)) begun.add(digest);
    }
    const payer = await Payer.open(await options());
    recovered += (await payer.resume()).length;
    expect(payer.isUnanswered).toBe(false);
    expect(recovered).toBeGreaterThan(0);
    // What the payer has counted is what the gateway charged, once for each request.
    const page = await payer.gateway.receipts(channel);
    const paid = page.receipts.map((receipt) => receipt.request_digest);
    expect(new Set(paid).size).toBe(paid.length);
    expect(paid.every((digest) => begun.has(digest))).toBe(true);
    expect(paid.length).toBeGreaterThan(30);
    const kept = payer.receipts().map(({ receipt }) => receipt.digest);
    expect(new Set(kept)).toEqual(new Set(page.receipts.map((receipt) => receipt.digest)));
    const total = BigInt(paid.length) * 1_020n;
    expect([payer.spent, payer.cumulative]).toEqual([total, total]);
    await payer.settle();
    await payer.refresh();
    await payer.close();
  });
});
