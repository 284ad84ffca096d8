// Writes the TypeScript blocks of the documents into `build/docs`, where they are type-checked with the tests.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const target = new URL('../build/docs/', import.meta.url);
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const text = readFileSync(new URL('../../../docs/typescript.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
if (blocks.length === 0) throw new Error('docs/typescript.md has no blocks of TypeScript');
for (const [index, block] of blocks.entries()) {
  writeFileSync(new URL(`block-${index + 1}.ts`, target), `${block}\nexport {};\n`);
}
