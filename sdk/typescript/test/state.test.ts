import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { indexedDbState, memoryState, type OpenState, type Purchase, type StateStore } from '@motif/sdk';
import { FilePurchases, fileState } from '@motif/sdk/node';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-state-'));
  path = join(folder, 'payer');
  memory = memoryState();
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (read: Uint8Array) => new TextDecoder().decode(read);

let memory: StateStore;
const stores: [string, () => StateStore][] = [
  ['file', () => fileState(path)],
  ['database', () => indexedDbState('one')],
  ['memory', () => memory],
];

test.each(stores)('%s keeps what was appended and replaced', async (_, store) => {
  const first = await store().open();
  await first.replace(bytes(''));
  await first.append(bytes('one'));
  await first.append(bytes('two'));
  expect(text(await first.read())).toBe('onetwo');
  await first.replace(bytes('all'));
  await first.append(bytes('more'));
  await first.close();
  const second = await store().open();
  expect(text(await second.read())).toBe('allmore');
  await second.close();
});

test.each(stores)('%s is opened once', async (_, store) => {
  const first = await store().open();
  await expect(store().open()).rejects.toMatchObject({ type: 'state-locked' });
  await first.close();
  await (await store().open()).close();
});

test('database separates states by name', async () => {
  const [one, other] = await Promise.all([indexedDbState('a').open(), indexedDbState('b').open()]);
  await one.replace(bytes('one'));
  await other.replace(bytes('other'));
  expect([text(await one.read()), text(await other.read())]).toEqual(['one', 'other']);
  await Promise.all([one.close(), other.close()]);
});

test('file is private and its lock names the process', async () => {
  const state = await fileState(path).open();
  await state.replace(bytes('x'));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(`${path}.lock`, 'utf8')).toContain(`process ${process.pid} on ${hostname()}`);
  await state.close();
});

test('lock of a killed process is taken over', async () => {
  const script = `import { fileState } from '@motif/sdk/node';
    await fileState(process.argv[1]).open(); console.log('open'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect(fileState(path).open()).rejects.toMatchObject({ type: 'state-locked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await fileState(path).open()).close();
});

test('lock of another machine is respected', async () => {
  await writeFile(`${path}.lock`, 'process 1 on another-machine\n\nmark\n');
  await expect(fileState(path).open()).rejects.toThrow('process 1 on another-machine');
});

test('lock of another container is respected', async () => {
  // A process that has ended here may run in another PID namespace.
  await writeFile(`${path}.lock`, `process 999999999 on ${hostname()}\nstart\nmark\npid:[1]\n`);
  await expect(fileState(path).open()).rejects.toThrow(`remove ${path}.lock`);
});

test('names of one file share its lock', async () => {
  await writeFile(path, '');
  const link = join(folder, 'link');
  await symlink(path, link);
  const state = await fileState(link).open();
  await expect(fileState(path).open()).rejects.toMatchObject({ type: 'state-locked' });
  await state.replace(bytes('one'));
  await state.close();
  expect([await readFile(path, 'utf8'), (await lstat(link)).isSymbolicLink()]).toEqual(['one', true]);
});

test('one of many processes takes over a dead lock', async () => {
  await writeFile(`${path}.lock`, `process 999999999 on ${hostname()}\nlong ago\nmark\n`);
  const opened = await Promise.allSettled(Array.from({ length: 8 }, () => fileState(path).open()));
  const states = opened.filter((one) => one.status === 'fulfilled').map((one) => one.value as OpenState);
  expect(states).toHaveLength(1);
  await states[0]!.close();
});

test('unwritable folder is a typed error', async () => {
  await expect(fileState(join(folder, 'missing', 'payer')).open()).rejects.toMatchObject({ type: 'state-failed' });
});

const purchase: Purchase = {
  license: 0,
  units: { at_most: 4 },
  key: 'picture-0001',
  request_digest: '01'.repeat(32),
  expires_at: Math.floor(Date.now() / 1_000) + 60,
};

test('purchases are opened once and continue', async () => {
  const first = await FilePurchases.open(path);
  await expect(FilePurchases.open(path)).rejects.toMatchObject({ type: 'state-locked' });
  await first.set('one', purchase);
  await first.close();
  await expect(first.set('two', purchase)).rejects.toMatchObject({ type: 'state-failed' });
  const second = await FilePurchases.open(path);
  expect([second.get('one'), second.get('two')]).toEqual([purchase, undefined]);
  await second.close();
});

test('torn line of purchases is dropped, a foreign one is refused', async () => {
  const first = await FilePurchases.open(path);
  await first.set('one', purchase);
  await first.close();
  const whole = await readFile(path, 'utf8');
  await writeFile(path, `${whole}{"name":"torn`);
  const second = await FilePurchases.open(path);
  await second.set('two', purchase);
  await second.close();
  const third = await FilePurchases.open(path);
  expect([third.get('one'), third.get('two')]).toEqual([purchase, purchase]);
  await third.close();
  for (const line of ['null', '{}', '{"name":"x","purchase":null}', '[1]', 'text']) {
    await writeFile(path, `${line}\n${whole}`);
    await expect(FilePurchases.open(path)).rejects.toMatchObject({ type: 'state-invalid' });
    expect(await readFile(path, 'utf8')).toBe(`${line}\n${whole}`);
  }
});

test('purchase that cannot be written is not kept', async () => {
  const limited = `import { FilePurchases } from '@motif/sdk/node';
    const purchases = await FilePurchases.open(process.argv[1]);
    const told = [];
    for (const name of ['x'.repeat(9), 'y']) {
      await purchases.set(name, JSON.parse(process.argv[2])).catch((error) => told.push(error.type));
      told.push(purchases.get(name) === undefined);
    }
    await purchases.close();
    console.log(told.join(' '));`;
  const big = JSON.stringify({ ...purchase, key: 'k'.repeat(4_000) });
  // A file of this process has at most one block of 1,024 bytes.
  const script = 'ulimit -f 1; trap "" XFSZ; exec "$0" --input-type=module -e "$1" "$2" "$3"';
  const child = spawn('sh', ['-c', script, process.execPath, limited, path, big], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  expect(printed.toString()).toBe('state-failed true state-failed true\n');
});
