import type { WorkFacts } from './catalogue.js';

/** Languages of the examples on a work's page. */
export type Language = 'cli' | 'typescript' | 'python' | 'http';

/**
 * Returns examples that license a work and pay for one generation of it. They need a Solana node's URL in `MOTIF_RPC_URL`, and a
 * keypair in `platform.json` with SOL and tokens of the terms' currency.
 */
export function snippetsOf(work: WorkFacts, origin: string): Record<Language, string> {
  const [first] = work.terms?.uses ?? [];
  const use = first?.use ?? 'generate';
  const price = first?.price ?? '0';
  const address = work.work;
  return {
    cli: [
      '# platform.json pays: it has SOL and dollars. MOTIF_RPC_URL is the URL of a Solana node.',
      `export MOTIF_GATEWAY_URL=${origin}`,
      `motif channel open --deposit 5 --accept ${address} --use ${use} --keypair platform.json`,
      "motif generate --prompt 'A harbor at six' --output pictures --keypair platform.json",
    ].join('\n'),
    typescript: [
      '// MOTIF_CHANNEL is what `motif channel open --json` printed (first tab); it wrote platform.voucher.json.',
      "import { Payer, sha256 } from '@motif/sdk';",
      "import { fileState, keypairSigner } from '@motif/sdk/node';",
      '',
      'const payer = await Payer.open({',
      `  gateway: '${origin}',`,
      "  rpc: process.env.MOTIF_RPC_URL ?? 'http://127.0.0.1:8899',",
      "  channel: process.env.MOTIF_CHANNEL ?? '',",
      "  signer: await keypairSigner('platform.voucher.json'),",
      "  state: fileState('payer.state'),",
      '});',
      "const picture = 'what the model has made';",
      'const [requestDigest, outputDigest] = [await sha256(\'A harbor at six\'), await sha256(picture)];',
      'const receipt = await payer.generate({ license: 0, units: 1, requestDigest, outputDigest });',
      "console.log('paid', receipt.amount, 'receipt', receipt.digest);",
      'await payer.close();',
    ].join('\n'),
    python: [
      '# platform.json pays: it has SOL and dollars. MOTIF_RPC_URL is the URL of a Solana node.',
      'from motif_sdk import GatewayClient, Keypair, Payer, sha256',
      'from motif_sdk.chain import Chain',
      '',
      `gateway_url, work = "${origin}", "${address}"`,
      'platform = Keypair.from_file("platform.json")',
      'voucher_key = Keypair.from_file("python.voucher.json", create=True)',
      'with GatewayClient(gateway_url) as gateway:',
      '    operator, currency = gateway.operator()["operator"], gateway.quote(work)["currency"]',
      'chain = Chain(platform)',
      'channel = chain.open_channel(operator, currency, 5_000_000, voucher_key.address)',
      `license = chain.accept(channel, work, max_price=${price}).license`,
      'with Payer.open(channel, voucher_key, gateway=gateway_url, state=f"{channel}.state") as payer:',
      '    picture = b"what the model has made"',
      '    receipt = payer.generate(license, 1, sha256("A harbor at six"), sha256(picture))',
      '    print(f"paid {receipt.amount} base units, receipt {receipt.digest}")',
    ].join('\n'),
    http: [`curl ${origin}/v1/works/${address}`, `curl '${origin}/v1/works/${address}/quotes?use=${use}'`].join('\n'),
  };
}
