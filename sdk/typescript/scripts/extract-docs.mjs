// Writes the TypeScript blocks of the guide, and the scripts of README and docs/clients.md, into `build/docs`, where they
// are type-checked with the tests.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const target = new URL('../build/docs/', import.meta.url);
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const sources = [
  ['docs', '../../../docs/typescript.md', 'ts'],
  ['quick-start', '../README.md', 'js'],
  ['clients', '../../../docs/clients.md', 'js'],
];
for (const [name, path, language] of sources) {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8');
  const pattern = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  const blocks = [...text.matchAll(pattern)].map(([, block]) => block);
  if (blocks.length === 0) throw new Error(`${path} has no blocks of ${language}`);
  for (const [index, block] of blocks.entries()) {
    writeFileSync(new URL(`${name}-${index + 1}.ts`, target), `${block}\nexport {};\n`);
  }
}
