import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import axe from 'axe-core';
import decodeQR from 'qr/decode.js';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

import { Core, type AccountJson } from '@motif/sdk';

import { freePort, Localnet } from '../../../../sdk/typescript/test/support/localnet.js';
import { hasOtherPages, serveDist } from './pages.js';
import { ScriptedWallet } from './wallet.js';

export { HAS_BINARY, PICTURE } from '../../../../sdk/typescript/test/support/localnet.js';

/** Test dollar of `motif localnet`. */
export const DOLLAR = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU';

/** Secret of the gateway's admin interface. */
export const ADMIN_SECRET = 'a secret of the test, which is longer than 32 bytes';

/** Time for what a page does, milliseconds: other processes of the machine may take the processor. */
const PATIENCE = 90_000;
export const CHROMIUM = process.env['MOTIF_CHROMIUM'] ?? '/usr/bin/chromium';
export const HAS_CHROMIUM = existsSync(CHROMIUM);
const CORE = fileURLToPath(new URL('../../../../sdk/core/motif_core.wasm', import.meta.url));
const PEOPLE = ['creator', 'friend', 'platform', 'gateway', 'sponsor'] as const;
type Person = (typeof PEOPLE)[number];

/** A network, a gateway with the studio, and a browser. */
export class Studio {
  readonly localnet: Localnet;
  readonly core: Core;
  readonly #browser: Browser;
  /** Whether the binary has pages of another build: then dist/ is served in their place. */
  readonly #isOther: boolean;
  /** The gateway's admin listener. */
  readonly adminUrl: string;
  /** Errors of pages: failed scripts, refused resources. */
  readonly errors: string[] = [];
  /** Requests to another origin than the gateway's. */
  readonly foreign: string[] = [];

  private constructor(localnet: Localnet, core: Core, browser: Browser, isOther: boolean, adminUrl: string) {
    this.adminUrl = adminUrl;
    this.localnet = localnet;
    this.core = core;
    this.#browser = browser;
    this.#isOther = isOther;
  }

  static async start(): Promise<Studio> {
    const localnet = await Localnet.start(PEOPLE);
    const adminPort = await freePort(1);
    await localnet.write('admin.secret', ADMIN_SECRET);
    await localnet.write('gateway.toml', '[sponsor]\nkey = "sponsor.json"\n');
    await localnet.serve(['--config', 'gateway.toml', '--admin-listen', `127.0.0.1:${adminPort}`, '--admin-secret-file', 'admin.secret']);
    const core = await Core.load(Uint8Array.from(await readFile(CORE)));
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-background-networking'] });
    const isOther = await hasOtherPages(localnet.gatewayUrl);
    if (isOther) console.warn('the binary has pages of another build: dist/ is tested in their place');
    return new Studio(localnet, core, browser, isOther, `http://127.0.0.1:${adminPort}`);
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.localnet.stop();
  }

  get url(): string {
    return this.localnet.gatewayUrl;
  }

  /** Opens a page of a browser of its own, with a person's wallet. */
  async open(path: string, wallet?: ScriptedWallet, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options);
    if (this.#isOther) await serveDist(context, path.startsWith('http') ? new URL(path).origin : this.url);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => this.errors.push(`${path}: ${error.message}`));
    page.on('console', (message) => {
      const isRefusal = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isRefusal) this.errors.push(`${path}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const own = path.startsWith('http') ? new URL(path).origin : this.url;
      if (!request.url().startsWith(own) && !/^(data|blob):/.test(request.url())) this.foreign.push(request.url());
    });
    await wallet?.install(page);
    await page.goto(path.startsWith('/') ? this.url + path : path);
    return page;
  }

  /** Creates the wallet of a key that has no account on chain. */
  async newcomer(): Promise<ScriptedWallet> {
    const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    return ScriptedWallet.open(Uint8Array.from(Buffer.concat([d, x].map((part) => Buffer.from(part!, 'base64url')))));
  }

  /** Returns the lamports of an account. */
  async lamports(address: string): Promise<number> {
    return (await this.localnet.call<{ value: number }>('getBalance', [address, { commitment: 'confirmed' }])).value;
  }

  async wallet(person: Person): Promise<ScriptedWallet> {
    const bytes = JSON.parse(await readFile(this.localnet.path(`${person}.json`), 'utf8')) as number[];
    return ScriptedWallet.open(Uint8Array.from(bytes));
  }

  /** Returns an account's data, from the node itself. */
  async data(address: string): Promise<Buffer | undefined> {
    const options = { encoding: 'base64', commitment: 'confirmed' };
    const { value } = await this.localnet.call<{ value: { data: [string, string] } | null }>('getAccountInfo', [address, options]);
    return value ? Buffer.from(value.data[0], 'base64') : undefined;
  }

  async decode<Kind extends AccountJson['kind']>(address: string, kind: Kind): Promise<Extract<AccountJson, { kind: Kind }>> {
    const data = await this.data(address);
    if (!data) throw new Error(`there is no account at ${address}`);
    const decoded = this.core.call('account.decode', {}, data);
    if (decoded.kind !== kind) throw new Error(`the account at ${address} is a ${decoded.kind}`);
    return decoded as Extract<AccountJson, { kind: Kind }>;
  }

  /** Returns the test dollars of an owner, base units. */
  async balance(owner: string): Promise<bigint> {
    const { address } = this.core.call('address.tokens', { owner, mint: DOLLAR });
    const data = await this.data(address);
    return data ? BigInt(this.core.call('token.amount', {}, data).amount) : 0n;
  }
}

/** Connects the page to its scripted wallet. */
export async function connect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Connect wallet' }).first().click();
  await page.getByRole('button', { name: 'Scripted wallet' }).click();
  await page.getByRole('button', { name: 'Disconnect' }).waitFor();
}

/** Reads a QR code from a picture of it, as a phone does. */
export async function readCode(page: Page, picture: Buffer): Promise<string> {
  const { width, height, data } = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    return { width: bitmap.width, height: bitmap.height, data: [...context.getImageData(0, 0, bitmap.width, bitmap.height).data] };
  }, picture.toString('base64'));
  return decodeQR({ width, height, data: Uint8Array.from(data) });
}

/** Returns the violations that axe finds in a page. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
}
