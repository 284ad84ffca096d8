// A creator and a platform use the studio in Debian's Chromium; amounts and receipts are asserted on chain.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { getAddressDecoder } from '@solana/kit';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { Receipt, ReceiptProof } from '@motif/sdk';

import { payoutsOf, planPool, readContributorList, type PoolWork } from '../src/lib/pool.js';
import { ADMIN_SECRET, connect, DOLLAR, HAS_BINARY, HAS_CHROMIUM, PICTURE, readCode, Studio, violations } from './support/studio.js';
import type { ScriptedWallet } from './support/wallet.js';

/** Folder for pictures of the pages; none are taken without. */
const PICTURES = process.env['MOTIF_PICTURES'] ?? '';
const PRICE = 2_000n;
const GENERATIONS = 100n;
const EARNED = PRICE * GENERATIONS;
const FEE_BPS = 200n;
const REGISTER_WITHIN = 60_000;
const LOAD_WITHIN = 1_000;
const COLD_LOADS = 10;
const HTML_TITLE = '<img src=x onerror=document.title=1>';

/** Price of the preset that the page begins with, base units. */
const PRESET_PRICE = 10_000n;

/** Returns a list of `count` people, of whom one is real. */
function contributorList(count: number, real: string): string {
  const address = (number: number) => getAddressDecoder().decode(Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? (number >> (8 * at)) & 255 : 9)));
  return Array.from({ length: count }, (_, number) => `${number === 100 ? real : address(number)}, ${1 + (number % 7)}`).join('\n');
}

describe.skipIf(!HAS_BINARY || !HAS_CHROMIUM)('studio', () => {
  let studio: Studio;
  let [creator, friend, platform]: ScriptedWallet[] = [];
  let work: string;
  let channel: string;

  beforeAll(async () => {
    studio = await Studio.start();
    [creator, friend, platform] = [await studio.wallet('creator'), await studio.wallet('friend'), await studio.wallet('platform')];
  });
  afterAll(() => studio?.stop());
  afterEach(() => void (creator!.patience = Infinity));

  test('creator registers a photo with a split in one approval', async () => {
    const page = await studio.open('/studio/', creator);
    const begun = Date.now();
    const uploads: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && uploads.push(request.postData()?.slice(0, 200) ?? ''));
    await page.locator('input[type=file]').setInputFiles(fileURLToPath(PICTURE));
    await page.getByRole('button', { name: 'It is mine: register it' }).click();
    expect(uploads.filter((body) => body.includes('JFIF'))).toEqual([]);
    await connect(page);
    await page.getByLabel('Title').fill('Harbor at six');
    await page.getByLabel('Your name').fill('Ines');
    await page.getByLabel('Description').fill('Coffee before the ferry leaves.');
    await page.getByLabel('Share 1, percent').fill('50');
    await page.getByRole('button', { name: 'Add a recipient' }).click();
    await page.getByLabel('Recipient 2', { exact: true }).fill(friend!.address);
    await page.getByLabel('Share 2, percent').fill('50');
    await page.getByLabel(/dollars for one generation/).fill('0.002');
    await expect.poll(() => page.locator('.proceeds').textContent()).toContain('You get $1.00');
    await page.getByRole('button', { name: 'Register and publish terms' }).click();
    work = (await page.locator('[data-work]').getAttribute('data-work')) ?? '';
    expect(Date.now() - begun).toBeLessThan(REGISTER_WITHIN);
    expect(creator!.approvals).toBe(1);
    const decoded = await studio.decode(work, 'work');
    expect([decoded.work.title, decoded.work.owner, decoded.work.latest_terms]).toEqual(['Harbor at six', creator!.address, 1]);
    expect(decoded.work.split).toEqual([creator!, friend!].map(({ address }) => ({ recipient: address, share_bps: 5_000 })));
    const terms = await studio.decode(studio.core.call('address.terms', { work, number: 1 }).address, 'terms');
    expect(terms.terms.offer.uses).toEqual([{ use: 'generate', unit: 'generation', price: String(PRICE) }]);
    await page.getByRole('link', { name: 'Open its page' }).click();
    await page.getByRole('heading', { name: 'Harbor at six' }).waitFor();
    await expect.poll(() => page.locator('.hero').textContent()).toContain('Coffee before the ferry leaves.');
    await expect.poll(() => page.locator('.hero img.picture').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    await page.context().close();
  });

  test('file that is registered is found without a wallet', async () => {
    const page = await studio.open('/studio/');
    await page.locator('input[type=file]').setInputFiles(fileURLToPath(PICTURE));
    await page.getByRole('heading', { name: 'Registered: the content is identical' }).waitFor();
    await expect.poll(() => page.locator('.works').textContent()).toContain('$0.002');
    await page.context().close();
  });

  let paying: Page;
  test('platform pays a hundred generations from a session key', async () => {
    paying = await studio.open(`/studio/platform?work=${work}`, platform);
    await connect(paying);
    const before = await studio.balance(platform!.address);
    await paying.getByLabel('Deposit, dollars').fill('5');
    await paying.getByRole('button', { name: 'Open channel and accept terms' }).click();
    channel = (await paying.locator('[data-channel]').getAttribute('data-channel')) ?? '';
    expect(before - (await studio.balance(platform!.address))).toBe(5_000_000n);
    expect(platform!.approvals).toBe(1);
    const { licenses } = await studio.decode(channel, 'channel');
    expect(licenses.map((license) => [license.work, license.price])).toEqual([[work, String(PRICE)]]);
    await paying.getByLabel('Generations').fill(String(GENERATIONS));
    await paying.getByRole('button', { name: `Pay for ${GENERATIONS} generations` }).click();
    await paying.locator(`[data-paid="${GENERATIONS}"]`).waitFor();
    expect(platform!.approvals).toBe(1);
  });

  test('session key cannot spend more than its budget', async () => {
    await paying.getByLabel('Budget, dollars').fill('0.205');
    await paying.getByLabel('Generations').fill('10');
    const said = () => paying.locator('[data-cost]').textContent();
    await expect.poll(said).toBe('10 generations cost $0.0204 with fees. Of the budget of $0.205, $0.204 is spent and $0.001 is left.');
    await paying.getByRole('button', { name: 'Pay for 10 generations' }).click();
    const refused = 'Nothing was paid: 10 generations cost $0.0204 with fees, and $0.001 of the budget is left.';
    await expect.poll(() => paying.getByRole('alert').textContent()).toContain(refused);
    expect(await paying.getByRole('alert').textContent()).not.toContain('base units');
    // Nine of ten would be within the budget: none is paid.
    await paying.getByLabel('Budget, dollars').fill('0.2224');
    await paying.getByRole('button', { name: 'Pay for 10 generations' }).click();
    await expect.poll(() => paying.getByRole('alert').textContent()).toContain('$0.0184 of the budget is left');
    await expect.poll(said).toContain('$0.204 is spent');
    await paying.getByLabel('Budget, dollars').fill('0.2244');
    await paying.getByRole('button', { name: 'Pay for 10 generations' }).click();
    await paying.locator('[data-paid="10"]').waitFor();
    await expect.poll(said).toContain('$0.2244 is spent and $0.00 is left');
    await paying.getByLabel('Budget, dollars').fill('1');
  });

  let earning: Page;
  const figure = (name: string) => earning.locator(`[data-figure=${name}]`).getAttribute('data-amount');
  let paid: bigint;
  let photoShare = 0n;
  test('creator sees what is vouched and not settled', async () => {
    earning = await studio.open('/studio/earnings', creator);
    await connect(earning);
    await expect.poll(() => figure('vouched')).toBe('');
    await earning.getByRole('button', { name: 'Show payments that have not settled' }).click();
    await expect.poll(() => figure('vouched')).not.toBe('');
    paid = BigInt((await figure('vouched')) ?? 0);
    expect(paid).toBeGreaterThanOrEqual(EARNED);
    expect(paid % PRICE).toBe(0n);
    expect([await figure('settled'), await figure('claimable')]).toEqual(['0', '0']);
  });

  test('settled payments are claimed to the unit', async () => {
    await paying.getByRole('button', { name: 'Settle now' }).click();
    await expect.poll(async () => (await studio.decode(channel, 'channel')).channel.cumulative).toBe(
      String(paid + (paid * FEE_BPS) / 10_000n),
    );
    await earning.getByRole('link', { name: 'My works' }).click();
    await earning.getByRole('link', { name: 'Earnings' }).click();
    await expect.poll(() => figure('settled')).toBe(String(paid));
    const [before, approvals] = [await studio.balance(creator!.address), creator!.approvals];
    await earning.getByRole('button', { name: 'Claim all' }).click();
    await expect.poll(() => figure('claimed')).toBe(String(paid / 2n));
    expect(creator!.approvals - approvals).toBe(1);
    expect((await studio.balance(creator!.address)) - before).toBe(paid / 2n);
    const earnings = await studio.decode(studio.core.call('address.earnings', { work, mint: DOLLAR }).address, 'earnings');
    photoShare = paid / 2n;
    expect([earnings.earnings.earned, earnings.recipients.map(({ taken }) => taken)]).toEqual([String(paid), [String(paid / 2n), '0']]);
  });

  test('receipts of a work are proved to be all that was credited', async () => {
    await earning.getByRole('button', { name: 'Check the receipts' }).click();
    const audited = earning.locator(`[data-audited-channel="${channel}"]`);
    await audited.waitFor({ timeout: 60_000 });
    expect(await audited.getAttribute('data-amount')).toBe(String(paid));
    expect(Number(await earning.locator('[data-audited]').getAttribute('data-audited'))).toBe(Number(paid / PRICE));
    // A gateway that leaves a receipt out is found.
    await earning.route('**/v1/works/*/receipts?*', async (route) => {
      const response = await route.fetch();
      const { receipts } = (await response.json()) as { receipts: unknown[] };
      await route.fulfill({ response, json: { receipts: receipts.slice(1) } });
    });
    await earning.getByRole('button', { name: 'Check the receipts' }).click();
    await expect.poll(() => earning.getByRole('alert').textContent(), { timeout: 60_000 }).toContain('the chain credited');
    await earning.unroute('**/v1/works/*/receipts?*');
  });

  test('creator without SOL registers and claims at the sponsor\'s cost', async () => {
    const newcomer = await studio.newcomer();
    const sponsor = await studio.wallet('sponsor');
    const before = await studio.lamports(sponsor.address);
    const page = await studio.open('/studio/register', newcomer);
    await connect(page);
    await page.locator('input[type=file]').setInputFiles({ name: 'Fog.txt', mimeType: 'text/plain', buffer: Buffer.from('Fog lies on the water until ten, and the buoys are heard before they are seen by the pilot.') });
    await expect.poll(() => page.textContent('form')).toContain('pays nothing');
    await page.getByRole('button', { name: 'Register and publish terms' }).click();
    const fog = (await page.locator('[data-work]').getAttribute('data-work')) ?? '';
    expect((await studio.decode(fog, 'work')).work.latest_terms).toBe(1);
    expect([newcomer.approvals, await studio.lamports(newcomer.address)]).toEqual([1, 0]);
    const buying = await studio.open(`/studio/platform?work=${fog}`, platform);
    await connect(buying);
    await buying.getByRole('button', { name: 'Open channel and accept terms' }).click();
    const card = buying.locator('[data-channel]').filter({ hasText: 'Fog' });
    await card.getByLabel('Generations').fill('5');
    await card.getByRole('button', { name: 'Pay for 5 generations' }).click();
    await card.locator('[data-paid="5"]').waitFor();
    await card.getByRole('button', { name: 'Settle now' }).click();
    await card.locator('[data-settled]').waitFor();
    await buying.context().close();
    await page.getByRole('link', { name: 'Earnings' }).click();
    const settled = page.locator('[data-figure=settled]');
    await expect.poll(() => settled.getAttribute('data-amount')).toBe(String(5n * PRESET_PRICE));
    await page.getByRole('button', { name: 'Claim all' }).click();
    await expect.poll(() => page.locator('[data-figure=claimed]').getAttribute('data-amount')).toBe(String(5n * PRESET_PRICE));
    expect([await studio.balance(newcomer.address), await studio.lamports(newcomer.address)]).toEqual([5n * PRESET_PRICE, 0]);
    const paidFor = before - (await studio.lamports(sponsor.address));
    expect(paidFor).toBeGreaterThan(0);
    expect(paidFor).toBeLessThan(20_000_000);
    await page.context().close();
  });

  test('receipts are proved from the chain in the page', async () => {
    const downloading = paying.waitForEvent('download');
    await paying.getByRole('button', { name: 'Download receipts' }).click();
    const file = await (await downloading).path();
    const page = await studio.open('/studio/receipts');
    await page.locator('input[type=file]').setInputFiles(file);
    await expect.poll(() => page.locator('[data-standing=proven]').count()).toBeGreaterThanOrEqual(Number(GENERATIONS));
    expect(await page.locator('[data-standing]:not([data-standing=proven])').count()).toBe(0);
    await page.context().close();
    // The same from the node, without the page.
    const { operator } = (await studio.decode(channel, 'channel')).channel;
    const { receipt_keys: keys } = (await studio.decode(studio.core.call('address.operator', { authority: operator }).address, 'operator')).operator;
    const account = ((await studio.data(channel)) ?? Buffer.alloc(0)).toString('base64');
    const receipts = (await readFile(file, 'utf8')).trim().split('\n').map((line) => (JSON.parse(line) as { receipt: Receipt }).receipt);
    for (const { digest, amount } of receipts) {
      const proof = (await (await fetch(`${studio.url}/v1/receipts/${digest}/proof`)).json()) as ReceiptProof;
      expect([proof.receipt.digest, proof.receipt.amount]).toEqual([digest, amount]);
      studio.core.call('proof.verify', { proof, address: channel, channel: account, keys });
    }
    expect(receipts.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(paid);
  });

  test('forged receipt is shown as false', async () => {
    const { receipts } = (await (await fetch(`${studio.url}/v1/authenticate`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ digest: '0'.repeat(64) }) })).json()) as { receipts: unknown[] };
    expect(receipts).toEqual([]);
    const downloading = paying.waitForEvent('download');
    await paying.getByRole('button', { name: 'Download receipts' }).click();
    const text = await (await downloading).createReadStream().then((stream) => stream.toArray()).then((parts) => Buffer.concat(parts).toString());
    const [first] = text.split('\n');
    const forged = first!.replace(/"amount":"\d+"/, '"amount":"1"');
    const page = await studio.open('/studio/receipts');
    await page.locator('input[type=file]').setInputFiles({ name: 'receipts.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from(forged) });
    await page.locator('[data-standing=false]').waitFor();
    await page.context().close();
  });

  const PEOPLE = 330;
  let dataset: string;
  let groups: PoolWork[];
  test('data set with many contributors survives a closed tab', async () => {
    const list = contributorList(PEOPLE, friend!.address);
    creator!.patience = creator!.approvals + 1;
    const first = await studio.open('/studio/dataset', creator);
    await connect(first);
    await first.locator('input[type=file]').first().setInputFiles({ name: 'harbor.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from('{"picture":1}\n') });
    await first.getByLabel('Title').fill('Harbor photographs');
    await first.getByLabel('Your own share, percent').fill('10');
    await first.getByLabel('Contributors', { exact: true }).fill(list);
    await expect.poll(() => first.locator('.card').textContent()).toContain('330 contributors in 21 works on 3 levels');
    await first.locator('.tree summary').first().click();
    await first.locator('.tree details details summary').first().click();
    const { contributors } = readContributorList(list);
    const pool = planPool(contributors, 1_000, [{ recipient: creator!.address, share_bps: 10_000 }]);
    await expect.poll(() => first.locator('.tree .people li').count()).toBe(pool.root.parents[0]!.parents[0]!.recipients.length);
    expect(await violations(first)).toEqual([]);
    await first.getByRole('button', { name: 'Register 21 works' }).click();
    await expect.poll(() => first.getByRole('alert').textContent()).toContain('did not sign');
    await first.context().storageState({ path: studio.localnet.path('tab.json') });
    await first.context().close();

    creator!.patience = Infinity;
    const approvals = creator!.approvals;
    const second = await studio.open('/studio/dataset', creator, { storageState: studio.localnet.path('tab.json') });
    await second.getByRole('button', { name: 'Disconnect' }).waitFor();
    await second.locator('[data-begun="16"]').waitFor();
    await second.getByRole('button', { name: 'Continue' }).click();
    await second.getByRole('button', { name: 'Register 21 works' }).click();
    dataset = (await second.locator('[data-work]').getAttribute('data-work')) ?? '';
    expect(creator!.approvals - approvals).toBe(1);
    await second.context().close();

    groups = [];
    const compare = async (address: string, planned: PoolWork) => {
      const { work: found } = await studio.decode(address, 'work');
      expect(found.parents.map(({ share_bps }) => share_bps)).toEqual(planned.parents.map(({ share_bps }) => share_bps));
      if (planned.recipients.length > 0) expect(found.split).toEqual(planned.recipients);
      groups.push(planned);
      for (const [at, parent] of found.parents.entries()) await compare(parent.work, planned.parents[at]!);
    };
    await compare(dataset, pool.root);
    expect(groups.length).toBe(21);
    expect((await studio.decode(dataset, 'work')).work.latest_terms).toBe(1);
  });

  test('earnings of a data set reach a contributor', async () => {
    const page = await studio.open(`/studio/platform?work=${dataset}`, platform);
    await connect(page);
    await page.getByLabel('Deposit, dollars').fill('20');
    await page.getByRole('button', { name: 'Open channel and accept terms' }).click();
    const card = page.locator('[data-channel]').filter({ hasText: 'Harbor photographs' });
    await card.getByLabel('Generations').fill('1000');
    await card.getByLabel('Budget, dollars').fill('20');
    await card.getByRole('button', { name: 'Pay for 1000 generations' }).click();
    await card.locator('[data-paid="1000"]').waitFor({ timeout: 120_000 });
    await card.getByRole('button', { name: 'Settle now' }).click();
    await card.locator('[data-settled]').waitFor();
    const paid = 1_000n * PRESET_PRICE;
    await page.context().close();

    const owner = await studio.open('/studio/earnings', creator);
    await connect(owner);
    await owner.getByRole('button', { name: 'Show payments that have not settled' }).click();
    const [before, friends] = [await studio.balance(creator!.address), await studio.balance(friend!.address)];
    await expect.poll(() => owner.locator('[data-figure=settled]').getAttribute('data-amount')).toBe(String(paid));
    await owner.getByRole('button', { name: 'Claim all' }).click();
    await owner.locator('.notice.good').waitFor({ timeout: 120_000 });
    expect((await studio.balance(creator!.address)) - before).toBe(paid / 10n);

    const { contributors } = readContributorList(contributorList(PEOPLE, friend!.address));
    const due = payoutsOf(planPool(contributors, 1_000, [{ recipient: creator!.address, share_bps: 10_000 }]), paid).get(friend!.address)!;
    const page2 = await studio.open('/studio/earnings', friend);
    await connect(page2);
    await page2.getByRole('button', { name: 'Claim all' }).click();
    await page2.locator('.notice.good').waitFor();
    // The friend has half of the photo, too, which was settled and collected before.
    expect((await studio.balance(friend!.address)) - friends).toBe(due + photoShare);
    await Promise.all([owner, page2].map((one) => one.context().close()));
  });

  test('voice link is read from its code and signed by the person', async () => {
    const page = await studio.open('/studio/register', creator);
    await connect(page);
    await page.locator('input[type=file]').setInputFiles({ name: 'voice.txt', mimeType: 'text/plain', buffer: Buffer.from('Stands for a recording, which the person has: only its digest is in the link.') });
    await page.getByLabel('Kind').selectOption('voice');
    await page.getByLabel('Title').fill('Voice of Kofi');
    await page.getByLabel('Share 1, percent').fill('25');
    await page.getByRole('button', { name: 'Add a recipient' }).click();
    await page.getByLabel('Recipient 2', { exact: true }).fill('you');
    await page.getByLabel('Share 2, percent').fill('75');
    await page.getByRole('button', { name: 'Make a link for the person' }).click();
    const code = page.getByRole('img', { name: 'QR code: Link for the person' });
    const link = await readCode(page, await code.screenshot());
    expect(await violations(page)).toEqual([]);
    expect(link).toMatch(new RegExp(`^${studio.url}/studio/register#voice=`));
    const phone = await studio.open(link, friend, { viewport: { width: 390, height: 780 } });
    await connect(phone);
    await phone.getByLabel('It is my voice').check();
    await phone.getByRole('button', { name: 'Register and publish terms' }).click();
    const voice = (await phone.locator('[data-work]').getAttribute('data-work')) ?? '';
    const { work: found } = await studio.decode(voice, 'work');
    expect([found.kind, found.owner, (found['consent'] as { person: string }).person]).toEqual(['voice', friend!.address, friend!.address]);
    expect(found.split).toEqual([{ recipient: creator!.address, share_bps: 2_500 }, { recipient: friend!.address, share_bps: 7_500 }]);
    await Promise.all([page, phone].map((one) => one.context().close()));
  });

  test('till is opened, paid and swept from the work page', async () => {
    const page = await studio.open('/studio/', creator);
    await connect(page);
    await page.goto(`${studio.url}/w/${work}`);
    await page.getByRole('button', { name: 'Open a till for this work' }).click();
    const code = page.getByRole('img', { name: 'QR code: Pay this work directly' });
    const link = new URL(await readCode(page, await code.screenshot()));
    expect([link.protocol, link.searchParams.get('spl-token'), link.searchParams.get('label')]).toEqual(['solana:', DOLLAR, 'Harbor at six']);
    expect(await violations(page)).toEqual([]);
    await studio.localnet.run(['till', 'pay', link.pathname, '--amount', '1', '--keypair', 'platform.json']);
    await page.reload();
    await page.locator('[data-till="1000000"]').waitFor();
    await page.getByRole('button', { name: 'Move it to the work’s earnings' }).click();
    await page.locator('[data-till="0"]').waitFor();
    const { earnings } = await studio.decode(studio.core.call('address.earnings', { work, mint: DOLLAR }).address, 'earnings');
    expect(BigInt(earnings.earned)).toBe(paid + 1_000_000n);
    await page.context().close();
  });

  test('test wallets of the browser register and pay', async () => {
    const page = await studio.open('/studio/register');
    const choose = async (name: string) => {
      await page.getByRole('button', { name: 'Connect wallet' }).first().click();
      await page.getByRole('button', { name }).click();
      await page.getByRole('button', { name: 'Disconnect' }).waitFor();
    };
    await choose('Test creator');
    await page.locator('input[type=file]').setInputFiles({ name: 'Evening.txt', mimeType: 'text/plain', buffer: Buffer.from('The harbor lamps come on one by one, and the last ferry turns its stern to the town.') });
    await page.getByRole('button', { name: 'Register and publish terms' }).click();
    const evening = (await page.locator('[data-work]').getAttribute('data-work')) ?? '';
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.goto(`${studio.url}/studio/platform?work=${evening}`);
    await choose('Test platform');
    await page.getByRole('button', { name: 'Open channel and accept terms' }).click();
    const own = (await page.locator('[data-channel]').getAttribute('data-channel')) ?? '';
    await page.getByLabel('Generations').fill('5');
    await page.getByRole('button', { name: 'Pay for 5 generations' }).click();
    await page.locator('[data-paid="5"]').waitFor();
    await page.getByRole('button', { name: 'Settle now' }).click();
    await expect.poll(async () => (await studio.decode(own, 'channel')).licenses[0]?.settled).toBe(String(5n * PRESET_PRICE));
    await page.context().close();
  });

  test('operator sees exposure, settlements, fees and nodes', async () => {
    const page = await studio.open(`${studio.adminUrl}/studio/operator`);
    await page.getByLabel('Admin secret').fill('wrong');
    await page.getByRole('button', { name: 'Show the figures' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'Enter another secret' }).click();
    await page.getByLabel('Admin secret').fill(ADMIN_SECRET);
    await page.getByRole('button', { name: 'Show the figures' }).click();
    const sums = page.locator(`[data-sums="${DOLLAR}"]`);
    await sums.waitFor();
    const shown = await page.locator('[data-served]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-served') ?? ''));
    expect(shown).toContain(channel);
    const accounts = await Promise.all(shown.map((address) => studio.decode(address, 'channel')));
    const total = (field: 'cumulative' | 'fees') => String(accounts.reduce((sum, account) => sum + BigInt(account.channel[field] as string), 0n));
    expect(await sums.locator('[data-settled]').getAttribute('data-settled')).toBe(total('cumulative'));
    expect(await sums.locator('[data-fees]').getAttribute('data-fees')).toBe(total('fees'));
    expect(await sums.locator('[data-exposed]').getAttribute('data-exposed')).toBe('0');
    expect(await page.locator('[data-node]').count()).toBe(1);
    await expect.poll(() => page.locator('.busy').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/studio-operator.png`, fullPage: true });
    await page.context().close();
  });

  test('people are paid for tasks once after a closed tab', async () => {
    const people = contributorList(40, '').split('\n').map((line) => line.split(',')[0]!);
    const list = people.map((person, at) => `${person}, ${at + 1}`).join('\n');
    // The platform owns the work for which it pays.
    await studio.localnet.write('tasks.txt', 'Draw a box around each boat in the picture, and write its name below.');
    const { work: tasks } = await studio.localnet.run(['work', 'register', 'tasks.txt', '--kind', 'text', '--title', 'Boats', '--keypair', 'platform.json']);
    const page = await studio.open('/studio/payouts', platform);
    await connect(page);
    await page.getByLabel('Paid for').waitFor();
    await page.getByLabel('The list has').selectOption('tasks');
    await page.getByLabel('Dollars for one task').fill('0.01');
    await page.getByLabel('People', { exact: true }).fill(list);
    expect(await violations(page)).toEqual([]);
    const before = await studio.balance(platform!.address);
    const approvals = platform!.approvals;
    // The tab closes while the payments are on their way.
    let sent = 0;
    await page.route('**/v1/chain/transactions', async (route) => {
      sent += 1;
      if (sent <= 2) return route.continue();
      await route.abort();
    });
    await page.getByRole('button', { name: 'Pay $8.20' }).click();
    await expect.poll(() => page.getByRole('alert').count()).toBe(1);
    await page.context().storageState({ path: studio.localnet.path('tab.json') });
    await page.context().close();
    const partly = before - (await studio.balance(platform!.address));
    expect(partly > 0n && partly < 8_200_000n).toBe(true);

    const again = await studio.open('/studio/payouts', platform, { storageState: studio.localnet.path('tab.json') });
    await again.getByRole('button', { name: 'Disconnect' }).waitFor();
    // Transactions that were not sent are signed again only after their last block, in about 75 seconds.
    await again.getByRole('button', { name: 'Continue' }).click();
    await again.locator('[data-complete]').waitFor({ timeout: 150_000 });
    expect(platform!.approvals - approvals).toBe(2);
    expect(before - (await studio.balance(platform!.address))).toBe(8_200_000n);
    for (const [at, person] of people.entries()) expect(await studio.balance(person)).toBe(BigInt(at + 1) * 10_000n);
    expect(await violations(again)).toEqual([]);
    const downloading = again.waitForEvent('download');
    await again.getByRole('button', { name: 'Download the receipt' }).click();
    const receipt = JSON.parse(await readFile(await (await downloading).path(), 'utf8')) as { work: string; total: string; payments: { transaction: string }[] };
    expect([receipt.work, receipt.total, receipt.payments.length]).toEqual([tasks, '8200000', 40]);
    for (const signature of new Set(receipt.payments.map(({ transaction }) => transaction))) {
      const { value } = await studio.localnet.call<{ value: ({ err: unknown } | null)[] }>('getSignatureStatuses', [[signature]]);
      expect(value[0]?.err).toBeNull();
    }
    await again.context().close();
  });

  test('markup in a title is shown as text', async () => {
    await studio.localnet.write('note.txt', 'A poem about a harbor, long enough to have a fingerprint of its own.');
    const args = ['work', 'register', 'note.txt', '--kind', 'text', '--title', HTML_TITLE, '--keypair', 'friend.json'];
    const { work: hostile } = await studio.localnet.run(args);
    const page = await studio.open(`/w/${String(hostile)}`);
    await expect.poll(() => page.locator('h1').textContent()).toBe(HTML_TITLE);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    await page.context().close();
  });

  test.each(['', 'register', 'dataset', 'payouts', 'works', 'earnings', 'catalogue', 'inbox', 'receipts', 'platform', 'operator', 'nothing'])(
    'axe finds nothing on page %j',
    async (name) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await studio.open(`/studio/${name}`, creator, { colorScheme });
        await connect(page);
        await page.locator('h1').waitFor();
        await expect.poll(() => page.locator('.busy').count()).toBe(0);
        expect(await violations(page)).toEqual([]);
        await page.context().close();
      }
    },
  );

  test('axe finds nothing on a work page', async () => {
    const page = await studio.open(`/w/${work}`);
    await page.getByRole('heading', { name: 'Harbor at six' }).waitFor();
    await expect.poll(() => page.locator('.busy').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  test('work page loads within a second from a cold cache', async () => {
    let fastest = Infinity;
    // Other processes of the machine may take the processor: the fastest of a few loads counts.
    for (let load = 0; load < COLD_LOADS && fastest >= LOAD_WITHIN; load++) {
      const page = await studio.open('about:blank');
      const begun = performance.now();
      await page.goto(`${studio.url}/w/${work}`);
      await page.getByRole('heading', { name: 'Harbor at six' }).waitFor();
      fastest = Math.min(fastest, performance.now() - begun);
      await page.context().close();
    }
    expect(fastest).toBeLessThan(LOAD_WITHIN);
  });

  test.skipIf(!PICTURES)('pictures are taken', async () => {
    const shoot = async (name: string, path: string, options: Parameters<Studio['open']>[2], prepare?: (page: Page) => Promise<void>, wallet = creator) => {
      const page = await studio.open(path, wallet, { viewport: { width: 1_000, height: 760 }, ...options });
      if (path.startsWith('/studio')) await connect(page);
      await prepare?.(page);
      await page.waitForLoadState('networkidle');
      await expect.poll(() => page.locator('.busy').count()).toBe(0);
      // Those out of sight are loaded later.
      await page.waitForFunction(() => [...document.images].every((image) => image.complete || image.getBoundingClientRect().top > innerHeight));
      await page.screenshot({ path: `${PICTURES}/studio-${name}.png` });
      await page.context().close();
    };
    const photo = fileURLToPath(PICTURE);
    const dark = { colorScheme: 'dark' } as const;
    const phone = { viewport: { width: 390, height: 780 } };
    const choose = (page: Page) => page.locator('input[type=file]').setInputFiles(photo);
    const look = async (page: Page) => { await choose(page); await page.locator('.works').waitFor(); };
    const prove = async (page: Page) => {
      await page.getByRole('button', { name: 'Show payments that have not settled' }).click();
      await page.getByRole('heading', { name: 'History' }).scrollIntoViewIfNeeded();
      await page.evaluate(() => scrollTo(0, 0));
    };
    const fill = async (page: Page) => { await choose(page); await page.locator('.preview').waitFor(); };
    await shoot('look-up', '/studio/', { viewport: { width: 1_000, height: 1_120 } }, look);
    await shoot('look-up-dark', '/studio/', dark, look);
    await shoot('register', '/studio/register', { viewport: { width: 1_000, height: 1_500 } }, fill);
    await shoot('register-phone', '/studio/register', { viewport: { width: 390, height: 1_800 } }, fill);
    const people = contributorList(1_000, friend!.address);
    const plan = async (page: Page) => {
      await page.locator('input[type=file]').first().setInputFiles({ name: 'Street signs.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from('{"picture":2}\n') });
      await page.getByLabel('Contributors', { exact: true }).fill(people);
      const card = page.locator('.card').filter({ hasText: 'What will be registered' });
      await card.locator('summary').first().click();
      await card.locator('details details summary').first().click();
      await card.scrollIntoViewIfNeeded();
    };
    const listed = async (page: Page) => {
      await page.getByLabel('The list has').selectOption('tasks');
      await page.getByLabel('People', { exact: true }).fill(people.split('\n').slice(0, 40).join('\n'));
    };
    await shoot('dataset', '/studio/dataset', { viewport: { width: 1_000, height: 1_100 } }, plan);
    await shoot('dataset-phone', '/studio/dataset', { ...dark, ...phone }, plan);
    await shoot('payouts', '/studio/payouts', { viewport: { width: 1_000, height: 1_300 } }, listed, platform);
    await shoot('payouts-phone', '/studio/payouts', { ...phone, ...dark }, listed, platform);
    await shoot('catalogue-phone', '/studio/catalogue', phone);
    await shoot('inbox-phone', '/studio/inbox', phone, undefined, friend);
    await shoot('platform-phone', '/studio/platform', phone, undefined, platform);
    await shoot('operator-public', '/studio/operator', dark);
    await shoot('works', '/studio/works', {});
    await shoot('works-phone', '/studio/works', { ...phone, ...dark });
    await shoot('earnings', '/studio/earnings', { viewport: { width: 1_000, height: 1_300 } }, prove);
    await shoot('earnings-dark', '/studio/earnings', dark, prove);
    await shoot('earnings-phone', '/studio/earnings', phone, prove);
    await shoot('work', `/w/${work}`, { viewport: { width: 1_000, height: 1_100 } });
    await shoot('work-phone', `/w/${work}`, { ...phone, ...dark });
    await shoot('catalogue', '/studio/catalogue', {});
    await shoot('inbox', '/studio/inbox', dark);
    await shoot('receipts', '/studio/receipts', {});
    await shoot('platform-dark', '/studio/platform', { ...dark, viewport: { width: 1_000, height: 1_200 } }, undefined, platform);
    await paying.setViewportSize({ width: 1_000, height: 1_150 });
    await paying.evaluate(() => scrollTo(0, 0));
    await paying.screenshot({ path: `${PICTURES}/studio-platform.png` });
  }, 600_000);

  test('pages load nothing from other origins and break no policy', () => {
    expect(studio.foreign).toEqual([]);
    expect(studio.errors).toEqual([]);
  });
});
