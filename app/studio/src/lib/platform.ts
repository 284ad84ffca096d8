import contentUrl from '../../../../sdk/core/motif_content.wasm?url';
import coreUrl from '../../../../sdk/core/motif_core.wasm?url';

/** Returns the bytes of a module of rules. Takes the place of the SDK's platform module. */
export async function readModule(name: string): Promise<BufferSource> {
  const response = await fetch(name === 'motif_core.wasm' ? coreUrl : contentUrl);
  if (!response.ok) throw new Error(`${name} was answered with status ${response.status}`);
  return response.arrayBuffer();
}
