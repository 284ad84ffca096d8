import { readFile } from 'node:fs/promises';

/** Returns the bytes of a module beside this package's files. */
export async function readModule(name: string): Promise<BufferSource> {
  return new Uint8Array(await readFile(new URL(`../${name}`, import.meta.url)));
}
