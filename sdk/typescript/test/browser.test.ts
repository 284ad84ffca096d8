// A page buys with a session key, in the Chromium that MOTIF_CHROMIUM names.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Answer, Handler } from './support/server.js';
import { TestGateway } from './support/test-gateway.js';
import { World, accountsOf, sha256 } from './support/world.js';

const CHROMIUM = process.env['MOTIF_CHROMIUM'] ?? '';
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";
const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe.skipIf(!existsSync(CHROMIUM))('browser', () => {
  let browser: Browser;
  let context: BrowserContext;
  let files: Map<string, Answer>;
  let first: TestGateway;

  beforeAll(async () => {
    files = await bundle();
    // Before there is a channel, the gateway serves the page alone.
    first = await TestGateway.start(await World.start());
    first.other = serveFiles;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser?.close();
    await first?.stop();
  });

  const serveFiles: Handler = (received, response) => {
    if (received.target === '/rpc') return accountsOf(first.world)(received, response);
    return files.get(received.target) ?? { status: 404, body: '' };
  };

  async function open(): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(error));
    await page.goto(`${first.url}/`);
    await page.waitForFunction(() => 'page' in globalThis);
    return page;
  }

  test('session key signs vouchers and survives a reload', async () => {
    const page = await open();
    const key = await page.evaluate(() => globalThis.page.key());
    expect(await page.evaluate(() => globalThis.page.canExport())).toBe(false);
    // The wallet's owner opens a channel for the page's key.
    first.world = await World.start({ voucherAddress: key });
    await page.reload();
    await page.waitForFunction(() => 'page' in globalThis);
    expect(await page.evaluate(() => globalThis.page.key())).toBe(key);
    const channel = first.world.channel as string;
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    expect(await page.evaluate((at) => globalThis.page.open(at), channel)).toBe('0');
    const buy = (path: string, body: string) => {
      return page.evaluate(([to, text]) => globalThis.page.buy(to!, text!), [path, body]);
    };
    const picture = '{"prompt":"New York","count":2}';
    expect(await buy('/images', picture)).toEqual({ text: `picture for ${picture}`, receipts: 1, spent: '204' });
    const story = [0, 1, 2].map((part) => `part ${part}\n`.repeat(10)).join('');
    expect(await buy('/stories', '{}')).toEqual({ text: story, receipts: 3, spent: '510' });
    expect(first.owed).toBe(510);
    expect(loaded.filter((path) => path.endsWith('.wasm'))).toEqual(['/motif_payer.wasm']);
    const other = await open();
    await expect(other.evaluate((at) => globalThis.page.open(at), channel)).rejects.toThrow('another tab');
    await page.close();
    // The state is in the browser's database: the next tab continues.
    expect(await other.evaluate((at) => globalThis.page.open(at), channel)).toBe('510');
    await other.close();
  });

  test('file is examined in a worker without an upload', async () => {
    const page = await open();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    const bytes = [...(await readFile(new URL('../../../app/cli/assets/coffee.jpg', import.meta.url)))];
    const { digest, media } = await page.evaluate((file) => globalThis.page.examine(file), bytes);
    expect([digest, media]).toEqual([sha256(Uint8Array.from(bytes)), 'image']);
    expect(requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
    await page.close();
  });
});

/** Returns the files of the page by their paths. */
async function bundle(): Promise<Map<string, Answer>> {
  const answer = (type: string, body: string | Uint8Array): Answer => {
    return { status: 200, headers: { 'content-type': type, 'content-security-policy': CSP }, body: Buffer.from(body) };
  };
  const built = await build({
    entryPoints: { page: `${ROOT}test/support/page.ts`, 'content/worker': `${ROOT}dist/content/worker.js` },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: '/',
    write: false,
  });
  const scripts = built.outputFiles.map((file): [string, Answer] => [
    file.path,
    answer('text/javascript', file.contents),
  ]);
  const modules = ['motif_payer.wasm', 'motif_content.wasm'].map(async (name): Promise<[string, Answer]> => {
    return [`/${name}`, answer('application/wasm', await readFile(`${ROOT}dist/${name}`))];
  });
  const html = '<!doctype html><title>Motif</title><script type="module" src="/page.js"></script>';
  return new Map([...scripts, ...(await Promise.all(modules)), ['/', answer('text/html', html)]]);
}
