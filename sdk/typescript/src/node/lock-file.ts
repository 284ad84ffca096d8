import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

import { StateError, messageOf } from '../errors.js';
import { pause } from '../clock.js';

/** Time for which a lock is waited for, because its holder may be about to end, milliseconds. */
const MAX_WAIT = 1_000;
const PAUSE = 20;

/** What a lock file says, one line each: the process and its machine, when it started, a mark of its own, its PID namespace. */
interface Holder {
  readonly process: string;
  readonly started: string;
  readonly mark: string;
  readonly space: string;
}

/** Lock of a file by one process, which ends with the process: the lock of a process that has died is taken over. */
export class LockFile {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /**
   * Locks, at the latest after a second.
   *
   * @param subject Path of what is locked, for the error.
   * @throws StateError `state-locked` if another process has it, `state-failed`.
   */
  static async acquire(path: string, subject: string): Promise<LockFile> {
    const deadline = Date.now() + MAX_WAIT;
    for (;;) {
      try {
        const holder = await LockFile.#attempt(path);
        if (holder instanceof LockFile) return holder;
        if (Date.now() >= deadline) {
          const text = `${subject} is in use by ${holder.process}: expected one process at a time`;
          const advice = `if that process has ended, remove ${path}`;
          throw new StateError('state-locked', `${text}; ${advice}`);
        }
      } catch (error) {
        if (error instanceof StateError) throw error;
        throw new StateError('state-failed', `${path}: ${messageOf(error)}`, { cause: error });
      }
      await pause(PAUSE);
    }
  }

  /** Returns the lock, or its present holder. */
  static async #attempt(path: string): Promise<LockFile | Holder> {
    const text = `process ${process.pid} on ${hostname()}\n${startOf(process.pid)}\n${randomUUID()}\n${spaceOf()}\n`;
    const held = await readHolder(path);
    if (held !== undefined) {
      if (isAlive(held)) return held;
      await discard(path, held);
    }
    if (!(await create(path, text))) return (await readHolder(path)) ?? UNKNOWN;
    // Two processes may have found the same dead holder: the one whose file remains has it.
    await pause(PAUSE);
    const lock = new LockFile(path, text);
    return (await lock.isHeld()) ? lock : ((await readHolder(path)) ?? UNKNOWN);
  }

  async isHeld(): Promise<boolean> {
    return (await readText(this.#path)) === this.#text;
  }

  async release(): Promise<void> {
    if (await this.isHeld()) await rm(this.#path, { force: true });
  }
}

const UNKNOWN: Holder = { process: 'another process', started: '', mark: '', space: '' };

/** Creates the file, with its text from the first moment on; returns whether it did not exist. */
async function create(path: string, text: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, text, { mode: 0o600, flag: 'wx' });
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Removes the lock of a dead holder, unless another process has replaced it meanwhile. */
async function discard(path: string, held: Holder): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved && moved.mark !== held.mark) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  const [holder = '', started = '', mark = '', space = ''] = text.split('\n');
  return { process: holder, started, mark, space };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns whether the holder may be alive. That of another machine always may. */
function isAlive(holder: Holder): boolean {
  const named = /^process (\d+) on (.*)$/.exec(holder.process);
  if (!named) return true;
  if (named[2] !== hostname()) return true;
  // A process of another container on this machine cannot be seen.
  const space = spaceOf();
  if (holder.space !== '' && space !== '' && holder.space !== space) return true;
  const pid = Number(named[1]);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
  const started = startOf(pid);
  return holder.started === '' || started === '' || holder.started === started;
}

/** Returns when a process started, in ticks since the machine did; nothing where that is unknown. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name of the program, in parentheses, may contain spaces; the start is the 20th field after it.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return `${boot} ${ticks}`;
  } catch {
    return '';
  }
}

/** Returns the PID namespace of this process; nothing where that is unknown. */
function spaceOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Returns the path of a file behind links, so that all names of a file share its lock. */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
