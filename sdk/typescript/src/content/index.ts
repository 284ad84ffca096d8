/**
 * Digests and fingerprints of files, computed where the file is: it is not sent anywhere.
 *
 * @packageDocumentation
 */

import { compileModule, type ModuleSource } from '../core/module-source.js';
import type { Fingerprint } from '../core/types.js';
import { WasmModule } from '../core/wasm-module.js';
import { readFile, toExamination, type Examination, type ExaminationJson } from './examination.js';

export type { Examination } from './examination.js';

/**
 * Computes the digest and the fingerprints of a file of at most 64 MiB.
 *
 * Each file is decoded in a WebAssembly instance of its own, without access to anything outside it: a hostile file can end
 * that instance, and nothing else. The call blocks its thread; use {@link examineInWorker} in a page.
 *
 * @param source Module of fingerprints. Default: the file in this package.
 * @throws MotifError `content-unreadable`, `content-too-large`, `invalid-input`, `internal`.
 */
export async function examine(file: Blob | Uint8Array, source?: ModuleSource): Promise<Examination> {
  const bytes = await readFile(file);
  const module = await WasmModule.instantiate(await compileModule('motif_content.wasm', source));
  return toExamination(module.call<ExaminationJson>('content.examine', {}, bytes).ok);
}

/** How two fingerprints compare. */
export interface Comparison {
  /** Number of different bits; `null` for fingerprints of different schemes. */
  readonly distance: number | null;
  /** Whether the distance is within what edits of one content have. It is a hint and proves nothing. */
  readonly isAlike: boolean;
}

interface ComparisonJson {
  readonly distance: number | null;
  readonly is_alike: boolean;
}

/** Compares two fingerprints. */
export async function compareFingerprints(
  one: Fingerprint,
  other: Fingerprint,
  source?: ModuleSource,
): Promise<Comparison> {
  const module = await WasmModule.instantiate(await compileModule('motif_content.wasm', source));
  const { distance, is_alike } = module.call<ComparisonJson>('content.distance', { one, other }).ok;
  return { distance, isAlike: is_alike };
}

export { examineInWorker } from './worker-host.js';
