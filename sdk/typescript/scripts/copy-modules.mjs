// Copies the modules of rules into the package. They are built from Rust in `sdk/core` and committed there.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [from, to] = [join(here, '../../core'), join(here, '../dist')];
mkdirSync(to, { recursive: true });
for (const name of ['motif_core.wasm', 'motif_content.wasm']) {
  const source = join(from, name);
  if (!existsSync(source)) throw new Error(`sdk/core/${name} is missing: build it by toolchain/build-wasm.sh`);
  copyFileSync(source, join(to, name));
}
