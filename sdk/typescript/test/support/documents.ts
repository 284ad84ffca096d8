import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Returns the blocks of a language below a heading of a document. */
export async function blocks(document: string, heading: string, language: string): Promise<string[]> {
  const [, section] = (await readFile(join(ROOT, document), 'utf8')).split(`\n## ${heading}\n`);
  const [text] = (section ?? '').split(/\n## /);
  const found = [...(text ?? '').matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))];
  if (found.length === 0) throw new Error(`${document} has no block of ${language} below ${heading}`);
  return found.map(([, block]) => block!);
}
