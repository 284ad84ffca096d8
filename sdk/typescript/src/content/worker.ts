import { serveWorker } from '#worker-platform';

import { InternalError, MotifError } from '../errors.js';
import { examine } from './index.js';
import type { WorkerAnswer } from './worker-host.js';

serveWorker<Uint8Array, WorkerAnswer>(async (bytes) => {
  try {
    const { mediaType, ...rest } = await examine(bytes);
    return { ok: { ...rest, media_type: mediaType } };
  } catch (thrown) {
    const error = thrown instanceof MotifError ? thrown : new InternalError(String(thrown));
    return { error: { type: error.type, message: error.message } };
  }
});
