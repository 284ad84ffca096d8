/**
 * Digests and fingerprints of files, computed where the file is: it is not sent anywhere.
 *
 * @packageDocumentation
 */

import { compileModule, type ModuleSource } from '../core/module-source.js';
import type { Fingerprint } from '../core/types.js';
import { WasmModule } from '../core/wasm-module.js';

/** What a file contains. */
export interface Examination {
  /** SHA-256 of the bare content: without its content credentials. */
  readonly digest: string;
  readonly media: 'image' | 'audio' | 'text' | 'other';
  readonly media_type: string;
  /** Fingerprint that a registration states; scheme 0 without one. */
  readonly fingerprint: Fingerprint;
  /** Fingerprints by which similar works are found. */
  readonly probes: readonly Fingerprint[];
}

/**
 * Computes the digest and the fingerprints of a file of at most 64 MiB.
 *
 * Each file is decoded in a WebAssembly instance of its own, without access to anything outside it: a hostile file can end
 * that instance, and nothing else. The call blocks its thread; use {@link examineInWorker} in a page.
 *
 * @param source Module of fingerprints. Default: the file in this package.
 * @throws MotifError `content-unreadable`, `content-too-large`, `internal`.
 */
export async function examine(file: Blob | Uint8Array, source?: ModuleSource): Promise<Examination> {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer());
  const module = await WasmModule.instantiate(await compileModule('motif_content.wasm', source));
  return module.call<Examination>('content.examine', {}, bytes).ok;
}

/** How two fingerprints compare. */
export interface Comparison {
  /** Number of different bits; `null` for fingerprints of different schemes. */
  readonly distance: number | null;
  /** Whether the distance is within what edits of one content have. It is a hint and proves nothing. */
  readonly is_alike: boolean;
}

/** Compares two fingerprints. */
export async function compareFingerprints(
  one: Fingerprint,
  other: Fingerprint,
  source?: ModuleSource,
): Promise<Comparison> {
  const module = await WasmModule.instantiate(await compileModule('motif_content.wasm', source));
  return module.call<Comparison>('content.distance', { one, other }).ok;
}

export { examineInWorker } from './worker-host.js';
