// `motif up` and a test wallet whose key is in the browser: what a person sees first.
import { mkdtemp, rm } from 'node:fs/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { BINARY } from '../../../sdk/typescript/test/support/localnet.js';
import { CHROMIUM, HAS_BINARY, HAS_CHROMIUM } from './support/studio.js';
import { hasOtherPages, serveDist } from './support/pages.js';

interface Up {
  readonly api_url: string;
  readonly works: readonly { readonly work: string; readonly title: string; readonly price: number; readonly use: string }[];
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

  const choose = async (name: string) => {
    await page!.getByRole('button', { name: 'Connect wallet' }).first().click();
    await page!.getByRole('button', { name }).click();
    await page!.getByRole('button', { name: 'Disconnect' }).waitFor();
  };

  test('sample works are in the catalogue', async () => {
    await page!.goto(`${up!.api_url}/studio/catalogue`);
    for (const { title } of up!.works) await page!.getByRole('link', { name: title }).waitFor();
  });

  test('test wallet registers, another one pays', async () => {
    await page!.goto(`${up!.api_url}/studio/register`);
    await choose('Test creator');
    await page!.locator('input[type=file]').setInputFiles({ name: 'Evening.txt', mimeType: 'text/plain', buffer: Buffer.from('The harbor lamps come on one by one, and the last ferry turns its stern to the town.') });
    await page!.getByRole('button', { name: 'Register and publish terms' }).click();
    const work = (await page!.locator('[data-work]').getAttribute('data-work')) ?? '';
    await page!.getByRole('button', { name: 'Disconnect' }).click();
    await page!.goto(`${up!.api_url}/studio/platform?work=${work}`);
    await choose('Test platform');
    await page!.getByRole('button', { name: 'Open channel and accept terms' }).click();
    await page!.locator('[data-channel]').waitFor();
    await page!.getByLabel('Generations').fill('5');
    await page!.getByRole('button', { name: 'Pay for 5 generations' }).click();
    await page!.locator('[data-paid="5"]').waitFor();
    await page!.getByRole('button', { name: 'Settle now' }).click();
    await page!.locator('[data-settled]').waitFor({ timeout: 60_000 });
    const settled = async () => {
      const facts = (await (await fetch(`${up!.api_url}/v1/works/${work}/earnings`)).json()) as { currencies: { settled: string }[] };
      return facts.currencies[0]?.settled;
    };
    // The gateway reads the chain every few seconds.
    await expect.poll(settled).toBe('50000');
  });
});
