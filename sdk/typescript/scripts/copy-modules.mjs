// Copies the modules of rules into the package. They are built from Rust in `sdk/core` and committed there.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [from, to] = [join(here, '../../core'), join(here, '../dist')];
mkdirSync(to, { recursive: true });
for (const name of ['motif_core.wasm', 'motif_content.wasm']) {
  if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  else if (!existsSync(join(to, name))) throw new Error(`${name} is missing: build it by toolchain/build-wasm.sh`);
}
