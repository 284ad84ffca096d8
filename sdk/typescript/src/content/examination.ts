import type { Fingerprint } from '../core/types.js';
import { invalidInput } from '../input.js';

/** What a file contains. */
export interface Examination {
  /** SHA-256 of the bare content: without its content credentials. */
  readonly digest: string;
  readonly media: 'image' | 'audio' | 'text' | 'other';
  /** Such as `image/jpeg`. */
  readonly mediaType: string;
  /** Fingerprint that a registration states; scheme 0 without one. */
  readonly fingerprint: Fingerprint;
  /** Fingerprints by which similar works are found. */
  readonly probes: readonly Fingerprint[];
}

/** What the module returns. */
export type ExaminationJson = Omit<Examination, 'mediaType'> & { readonly media_type: string };

/** Converts what the module returns. */
export function toExamination({ media_type: mediaType, ...rest }: ExaminationJson): Examination {
  return { ...rest, mediaType };
}

/** Returns the bytes of a file. @throws MotifError `invalid-input` for anything else, such as a path. */
export async function readFile(file: Blob | Uint8Array): Promise<Uint8Array> {
  if (file instanceof Uint8Array) return file;
  if (file instanceof Blob) return new Uint8Array(await file.arrayBuffer());
  throw invalidInput('invalid file: expected its bytes, or a Blob');
}
