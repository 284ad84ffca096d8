import { fileURLToPath } from 'node:url';

import { Payer, type PayerOptions } from '@motif/sdk';
import { fileState, keypairSigner } from '@motif/sdk/node';

import { Localnet, PICTURE, freePort } from './localnet.js';

/** A work that a paywall sells in front of a model server, and a channel of a platform. */
export class Shop {
  readonly localnet: Localnet;
  readonly work: string;
  readonly channel: string;
  /** URL of the paywall. */
  readonly url: string;

  private constructor(localnet: Localnet, work: string, channel: string, url: string) {
    this.localnet = localnet;
    this.work = work;
    this.channel = channel;
    this.url = url;
  }

  /**
   * Opens a shop. A unit costs 1,000 base units, 1,020 with the fee.
   *
   * @param upstream URL of the model server.
   * @param sales Whether answers are sold without a channel, too.
   */
  static async open(upstream: string, { deposit = 50, sales = false } = {}): Promise<Shop> {
    const localnet = await Localnet.start(['ines', 'platform', 'buyer', 'gateway']);
    const picture = fileURLToPath(PICTURE);
    const price = ['--use', 'generate=0.001/generation', '--keypair', 'ines.json'];
    const registered = await localnet.run(['work', 'register', picture, '--kind', 'image', ...price]);
    const work = String(registered['work']);
    const route = (path: string, more: string) => {
      return `[[route]]\nmethod = "POST"\npath = "${path}"\nwork = "${work}"\nuse = "generate"\n${more}\n`;
    };
    const routes = [
      `upstream = "${upstream}"\n`,
      route('/pictures', 'units = { fixed = 1 }'),
      route('/images', 'units = { header = "x-units" }\nmost_units = 4'),
      route('/v1/chat/completions', 'units = { count = "events" }\nstream = true'),
      '[[free]]\nmethod = "GET"\npath = "/health"\n',
    ];
    await localnet.write('paywall.toml', routes.join('\n'));
    const port = await freePort(1);
    const url = `http://127.0.0.1:${port}`;
    const selling = sales ? `[sales]\npublic_url = "${url}"\nnetwork = "localnet"\n` : '';
    await localnet.write('gateway.toml', selling);
    const listen = ['--paywall-listen', `127.0.0.1:${port}`, '--paywall-routes', 'paywall.toml'];
    await localnet.serve(['--config', 'gateway.toml', ...listen]);
    const opened = ['channel', 'open', '--deposit', String(deposit), '--accept', picture, '--keypair', 'platform.json'];
    const channel = String((await localnet.run(opened))['channel']);
    return new Shop(localnet, work, channel, url);
  }

  /** Opens the platform's payer. */
  async payer(options: Partial<PayerOptions> = {}): Promise<Payer> {
    return Payer.open({
      gateway: this.localnet.gatewayUrl,
      rpc: this.localnet.rpcUrl,
      channel: this.channel,
      signer: await keypairSigner(this.localnet.path('platform.voucher.json')),
      state: fileState(this.localnet.path('payer.state')),
      ...options,
    });
  }

  close(): Promise<void> {
    return this.localnet.stop();
  }
}
