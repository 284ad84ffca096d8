import { fetchModule } from './fetch-module.js';

/** Returns the bytes of a module beside this package's files. */
export async function readModule(name: string): Promise<BufferSource> {
  return (await fetchModule(moduleUrl(name))).arrayBuffer();
}

/** Returns the URL of a module, in the form that bundlers replace. */
function moduleUrl(name: string): URL {
  if (name === 'motif_payer.wasm') return new URL('../motif_payer.wasm', import.meta.url);
  if (name === 'motif_core.wasm') return new URL('../motif_core.wasm', import.meta.url);
  return new URL('../motif_content.wasm', import.meta.url);
}
