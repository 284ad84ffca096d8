// `motif up`: what a person sees first.
import { mkdtemp, rm } from 'node:fs/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';

import { BINARY } from '../../../sdk/typescript/test/support/localnet.js';
import { CHROMIUM, HAS_BINARY, HAS_CHROMIUM } from './support/studio.js';
import { hasOtherPages, serveDist } from './support/pages.js';

interface Up {
  readonly api_url: string;
  readonly works: readonly { readonly title: string }[];
}

describe.skipIf(!HAS_BINARY || !HAS_CHROMIUM)('motif up', () => {
  let [process_, browser, page, up, folder]: [ChildProcess?, Browser?, Page?, Up?, string?] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'motif-up-test-'));
    const ports = ['rpc', 'api', 'paywall', 'model'].flatMap((name) => [`--${name}-port`, '0']);
    process_ = spawn(BINARY, ['up', '--json', '--no-open', ...ports], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(createInterface(process_.stdout!), 'line')) as [string];
    up = JSON.parse(line) as Up;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-background-networking'] });
    const context = await browser.newContext();
    if (await hasOtherPages(up.api_url)) await serveDist(context, up.api_url);
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    if (process_ && process_.exitCode === null) {
      process_.kill('SIGTERM');
      await once(process_, 'exit');
    }
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test('sample works are in the catalogue', async () => {
    await page!.goto(`${up!.api_url}/studio/catalogue`);
    for (const { title } of up!.works) await page!.getByRole('link', { name: title }).waitFor();
  });

  test('test wallets are offered', async ({ skip }) => {
    const { faucet } = (await (await fetch(`${up!.api_url}/v1/chain`)).json()) as { faucet: boolean };
    skip(!faucet, 'the gateway of this binary has no faucet under `motif up`, so that the studio offers no test wallets');
    await page!.getByRole('button', { name: 'Connect wallet' }).first().click();
    await page!.getByRole('button', { name: 'Test creator' }).click();
    await page!.getByRole('button', { name: 'Disconnect' }).waitFor();
  });
});
