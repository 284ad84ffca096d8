import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { test } from 'vitest';

test('reference page follows the doc comments', async () => {
  const script = fileURLToPath(new URL('../scripts/reference.mjs', import.meta.url));
  await promisify(execFile)(process.execPath, [script, '--check']);
});
