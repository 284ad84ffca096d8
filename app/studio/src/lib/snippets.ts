import type { WorkFacts } from './catalogue.js';

/** Languages of the examples on a work's page. */
export type Language = 'cli' | 'typescript' | 'python' | 'http';

/** Returns examples that license a work and pay for one generation of it. */
export function snippetsOf(work: WorkFacts, origin: string): Record<Language, string> {
  const [first] = work.terms?.uses ?? [];
  const use = first?.use ?? 'generate';
  const address = work.work;
  return {
    cli: [
      `export MOTIF_GATEWAY_URL=${origin}`,
      `motif channel open --operator OPERATOR --deposit 5 --voucher-key voucher.json`,
      `motif channel accept ${address} --use ${use}`,
    ].join('\n'),
    typescript: [
      "import { Payer } from '@motif/sdk';",
      "import { fileState, keypairSigner } from '@motif/sdk/node';",
      '',
      'const payer = await Payer.open({',
      `  gateway: '${origin}',`,
      '  rpc: process.env.MOTIF_RPC_URL,',
      '  channel: process.env.MOTIF_CHANNEL,',
      "  signer: await keypairSigner('voucher.json'),",
      "  state: fileState('payer.state'),",
      '});',
      'const receipt = await payer.generate({ license: 0, units: 1, requestDigest, outputDigest });',
    ].join('\n'),
    python: [
      'from motif_sdk import Keypair, Payer, sha256',
      'from motif_sdk.chain import Chain',
      '',
      'platform, key = Keypair.from_file("platform.json"), Keypair.from_file("voucher.json")',
      'chain = Chain(platform)',
      `license = chain.accept(channel, "${address}", max_price=${first?.price ?? '0'}).license`,
      'with Payer.open(channel, key, state="payer.state") as payer:',
      '    receipt = payer.generate(license, 1, sha256(prompt), sha256(picture))',
    ].join('\n'),
    http: [`curl ${origin}/v1/works/${address}`, `curl '${origin}/v1/works/${address}/quotes?use=${use}'`].join('\n'),
  };
}
