// Copies into the package what it has from elsewhere in the repository: the modules of rules, which are built from Rust in
// `sdk/core` and committed there, and the license.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [core, dist] = [join(here, '../../core'), join(here, '../dist')];
mkdirSync(dist, { recursive: true });
for (const name of ['motif_payer.wasm', 'motif_core.wasm', 'motif_content.wasm']) {
  const source = join(core, name);
  if (!existsSync(source)) throw new Error(`sdk/core/${name} is missing: build it by toolchain/build-wasm.sh`);
  copyFileSync(source, join(dist, name));
}
copyFileSync(join(here, '../../../LICENSE'), join(here, '../LICENSE'));
