import contentUrl from '../../../../sdk/core/motif_content.wasm?url';
import coreUrl from '../../../../sdk/core/motif_core.wasm?url';
import payerUrl from '../../../../sdk/core/motif_payer.wasm?url';

const URLS: Readonly<Record<string, string>> = {
  'motif_content.wasm': contentUrl,
  'motif_core.wasm': coreUrl,
  'motif_payer.wasm': payerUrl,
};

/** Returns the bytes of a module of rules. Takes the place of the SDK's platform module. */
export async function readModule(name: string): Promise<BufferSource> {
  const response = await fetch(URLS[name] ?? '');
  if (!response.ok) throw new Error(`${name} was answered with status ${response.status}`);
  return response.arrayBuffer();
}
