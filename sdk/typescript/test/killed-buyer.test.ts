// A process that is killed while it buys an answer: the next one gets the answer, which is made and paid once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { TestServer } from './support/server.js';
import { TestGateway } from './support/test-gateway.js';
import { World, accountsOf } from './support/world.js';

/** Buys one answer under a name, and prints it. */
const SCRIPT = `
  import { Payer, wrapFetchWithMotif } from '@motif/sdk';
  import { FilePurchases, fileState, keypairSigner } from '@motif/sdk/node';
  const { gateway, rpc, channel, key, state, log } = JSON.parse(process.argv[1]);
  const payer = await Payer.open({ gateway, rpc, channel, signer: await keypairSigner(key), state: fileState(state) });
  const purchases = await FilePurchases.open(log);
  const buy = wrapFetchWithMotif(fetch, payer, { maxPrice: 10_000n, purchases });
  const headers = { 'idempotency-key': 'picture-0001' };
  const response = await buy(gateway + '/images', { method: 'POST', headers, body: '{"prompt":"New York"}' });
  console.log(await response.text());
  await payer.close();
`;

test.each(['the answer is made', 'it pays', 'it fetches the answer'])(
  'buyer killed while %s pays once',
  async (when) => {
    const world = await World.start();
    const [rpc, gateway] = [await TestServer.start(accountsOf(world)), await TestGateway.start(world)];
    const folder = await mkdtemp(join(tmpdir(), 'motif-killed-'));
    const key = join(folder, 'key.json');
    await writeFile(key, world.voucherKey.keypairFile());
    const parts = { gateway: gateway.url, rpc: rpc.url, channel: world.channel, key };
    const argument = JSON.stringify({ ...parts, state: join(folder, 'state'), log: join(folder, 'purchases.jsonl') });
    const start = () => {
      const command = ['--input-type=module', '-e', SCRIPT, argument];
      return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    };
    const child = start();
    const kill = () => {
      delete gateway.lies.batch;
      delete gateway.lies.paywall;
      child.kill('SIGKILL');
    };
    if (when === 'it pays') {
      gateway.lies.batch = (_, honest) => {
        kill();
        return honest();
      };
    } else {
      gateway.lies.paywall = (answer, payment) => {
        if ((payment.answer === undefined) === (when === 'the answer is made')) kill();
        return answer;
      };
    }
    const killed = text(child.stdout);
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
    expect(await killed).toBe('');
    const next = start();
    expect(await text(next.stdout)).toBe('picture for {"prompt":"New York"}\n');
    expect([gateway.owed, gateway.made]).toEqual([102, 1]);
    await Promise.all([rpc.stop(), gateway.stop(), rm(folder, { recursive: true })]);
  },
);
