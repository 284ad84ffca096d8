import { startWorker } from '#worker-platform';

import { InternalError, MotifError, type MotifErrorType } from '../errors.js';
import { assertMilliseconds } from '../input.js';
import { readFile, toExamination, type Examination, type ExaminationJson } from './examination.js';

/** Answer of the worker. */
export type WorkerAnswer =
  { readonly ok: ExaminationJson } | { readonly error: { readonly type: MotifErrorType; readonly message: string } };

const TIMEOUT = 60_000;

/**
 * As `examine`, in a worker of its own, which is ended afterwards: a page stays responsive, and a file that takes too long
 * is given up.
 *
 * @param timeout Time limit, milliseconds. Default: 60,000.
 * @throws MotifError `content-unreadable`, `content-too-large`, `internal`.
 */
export async function examineInWorker(file: Blob | Uint8Array, timeout = TIMEOUT): Promise<Examination> {
  assertMilliseconds('timeout', timeout);
  const bytes = new Uint8Array(await readFile(file)); // the worker takes the copy
  const worker = startWorker();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new InternalError(`the file took longer than ${timeout} ms`)), timeout);
    });
    const answer = await Promise.race([worker.ask<WorkerAnswer>(bytes), late]);
    if ('error' in answer) throw new MotifError(answer.error.type, answer.error.message);
    return toExamination(answer.ok);
  } finally {
    clearTimeout(timer);
    worker.end();
  }
}
