import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The `motif` binary of the environment; tests that need it skip without it, unless it is required. */
export const BINARY = process.env['MOTIF_BINARY'] ?? '';
export const HAS_BINARY = existsSync(BINARY);
if (!HAS_BINARY && process.env['MOTIF_REQUIRE_BINARY'] === '1') {
  throw new Error('MOTIF_BINARY names no file, and MOTIF_REQUIRE_BINARY requires one');
}

export const PICTURE = new URL('../../../../app/cli/assets/coffee.jpg', import.meta.url);
export const MODEL = new URL('../../../../app/cli/assets/style.safetensors', import.meta.url);

type Json = Record<string, unknown>;

/** A Solana network and a gateway in processes of their own, in a folder that is removed afterwards. */
export class Localnet {
  readonly folder: string;
  readonly rpcUrl: string;
  readonly gatewayUrl: string;
  readonly #processes: ChildProcess[] = [];

  private constructor(folder: string, rpcPort: number, gatewayPort: number) {
    this.folder = folder;
    this.rpcUrl = `http://127.0.0.1:${rpcPort}`;
    this.gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  }

  /** Starts the network and creates funded keypair files for `people`. */
  static async start(people: readonly string[]): Promise<Localnet> {
    const folder = await mkdtemp(join(tmpdir(), 'motif-localnet-'));
    const localnet = new Localnet(folder, await freePort(2), await freePort(1));
    await localnet.spawn(['localnet']);
    await localnet.run(['key', 'new', '--airdrop', ...people.map((name) => `${name}.json`)]);
    return localnet;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string): Promise<void> {
    return writeFile(this.path(name), content);
  }

  /** Starts the gateway of `gateway.json`; returns what it prints. */
  serve(options: readonly string[] = []): Promise<Json> {
    return this.spawn(['gateway', 'serve', '--keypair', 'gateway.json', '--store', 'gateway.sqlite', ...options]);
  }

  /** Starts a long-running command; returns its first line of output. */
  async spawn(command: readonly string[]): Promise<Json> {
    const child = spawn(BINARY, [...command, '--json'], {
      ...this.#options(),
      stdio: ['ignore', 'pipe', process.env['MOTIF_TEST_LOGS'] ? 'inherit' : 'ignore'],
    });
    this.#processes.push(child);
    const lines = createInterface(child.stdout!);
    const failed = once(child, 'exit').then(() => Promise.reject(new Error(`${command.join(' ')} has ended`)));
    const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string];
    failed.catch(() => undefined);
    return JSON.parse(line) as Json;
  }

  /** Runs a command; returns the last line that it prints. */
  async run(command: readonly string[]): Promise<Json> {
    const ran = await promisify(execFile)(BINARY, [...command, '--json'], this.#options());
    return JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as Json;
  }

  /** Kills the process that was started last. */
  async kill(): Promise<void> {
    const process = this.#processes.pop();
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  async stop(): Promise<void> {
    while (this.#processes.length > 0) await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Calls a method of the network's JSON-RPC interface. */
  async call<T>(method: string, params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(this.rpcUrl, { method: 'POST', headers, body });
    const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  #options() {
    const { rpcUrl: MOTIF_RPC_URL, gatewayUrl: MOTIF_GATEWAY_URL } = this;
    return { cwd: this.folder, env: { ...process.env, MOTIF_RPC_URL, MOTIF_GATEWAY_URL } };
  }
}

/** Returns the first of `count` free ports in a row. */
export async function freePort(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 20_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
