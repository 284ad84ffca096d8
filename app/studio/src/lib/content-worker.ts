// Worker that examines one file, in a WebAssembly instance of its own.
import { compileSource } from '../../../../sdk/typescript/src/core/module-source.js';
import { WasmModule } from '../../../../sdk/typescript/src/core/wasm-module.js';
import type { Examination } from '@motif/sdk/content';
import { InternalError, MotifError } from '../../../../sdk/typescript/src/errors.js';

import { readModule } from './platform.js';

onmessage = async ({ data }: MessageEvent<Uint8Array>) => {
  try {
    const module = await WasmModule.instantiate(await compileSource(await readModule('motif_content.wasm')));
    postMessage({ ok: module.call<Examination>('content.examine', {}, data).ok });
  } catch (thrown) {
    const error = thrown instanceof MotifError ? thrown : new InternalError(String(thrown));
    postMessage({ error: { type: error.type, message: error.message } });
  }
};
