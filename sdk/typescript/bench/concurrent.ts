// Measures concurrent payments on one channel through a link of 25 ms each way. Prints one line of JSON.
//
//     MOTIF_BINARY=.../motif npm run bench
import { fileURLToPath } from 'node:url';

import { Payer, sha256 } from '@motif/sdk';
import { fileState, keypairSigner } from '@motif/sdk/node';

import { HAS_BINARY, Localnet, PICTURE } from '../test/support/localnet.js';
import { SlowLink } from '../test/support/slow-link.js';

const CALLERS = Number(process.env['CALLERS'] ?? 64);
const SECONDS = Number(process.env['SECONDS'] ?? 10);
const ONE_WAY_MS = 25;

if (!HAS_BINARY) {
  console.error('set MOTIF_BINARY to the motif binary');
  process.exit(2);
}
const localnet = await Localnet.start(['ines', 'platform', 'gateway']);
try {
  await localnet.serve();
  const picture = fileURLToPath(PICTURE);
  const price = ['--use', 'generate=0.001/generation', '--keypair', 'ines.json'];
  await localnet.run(['work', 'register', picture, '--kind', 'image', ...price]);
  const opened = ['channel', 'open', '--deposit', '90', '--accept', picture, '--keypair', 'platform.json'];
  const channel = String((await localnet.run(opened))['channel']);
  const link = await SlowLink.to(localnet.gatewayUrl, ONE_WAY_MS);
  const payer = await Payer.open({
    gateway: link.url,
    rpc: localnet.rpcUrl,
    channel,
    signer: await keypairSigner(localnet.path('platform.voucher.json')),
    state: fileState(localnet.path('payer.state')),
  });
  const latencies: number[] = [];
  const begun = performance.now();
  const end = begun + SECONDS * 1_000;
  const pay = async (caller: number) => {
    for (let number = 0; performance.now() < end; number++) {
      const digest = await sha256(`${caller} ${number}`);
      const sent = performance.now();
      await payer.generate({ license: 0, units: 1, requestDigest: digest, outputDigest: digest });
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => pay(caller)));
  const seconds = (performance.now() - begun) / 1_000;
  const { receipts } = await payer.gateway.receipts(channel);
  latencies.sort((one, other) => one - other);
  const at = (part: number) => Math.round(latencies[Math.floor(latencies.length * part)] ?? 0);
  const result = {
    callers: CALLERS,
    one_way_ms: ONE_WAY_MS,
    seconds: Number(seconds.toFixed(1)),
    payments: latencies.length,
    payments_per_second: Math.round(latencies.length / seconds),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    charged_once: payer.spent === BigInt(latencies.length) * 1_020n && receipts.length > 0,
  };
  console.log(JSON.stringify(result));
  await payer.close();
  await link.stop();
} finally {
  await localnet.stop();
}
process.exit(0);
