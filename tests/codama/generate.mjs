// Renders TypeScript clients of both programs from `idl/` with Codama.
//
//     node generate.mjs DIRECTORY [IDL_DIRECTORY]
//
// `DIRECTORY/stock` is what Codama makes of the IDL alone. `DIRECTORY/complete` adds what Anchor's IDL
// has no notation for: the entries behind an account's header, and addresses whose seeds no
// instruction supplies. Copy `complete` to do the same in a project of your own.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  accountNode,
  arrayTypeNode,
  assertIsNode,
  bytesTypeNode,
  constantPdaSeedNodeFromString,
  definedTypeLinkNode,
  fixedSizeTypeNode,
  numberTypeNode,
  publicKeyTypeNode,
  remainderCountNode,
  structFieldTypeNode,
  structTypeNode,
  variablePdaSeedNode,
} from '@codama/nodes';
import { rootNodeFromAnchor } from '@codama/nodes-from-anchor';
import { renderVisitor } from '@codama/renderers-js';
import { addPdasVisitor, bottomUpTransformerVisitor } from '@codama/visitors';
import { createFromRoot } from 'codama';

/** What fills an account behind its header, up to its end. */
const TAILS = {
  channel: ['licenses', arrayTypeNode(definedTypeLinkNode('license'), remainderCountNode())],
  earnings: ['parts', arrayTypeNode(definedTypeLinkNode('part'), remainderCountNode())],
  statementBuffer: ['statement', bytesTypeNode()],
};

const key = (name) => variablePdaSeedNode(name, publicKeyTypeNode());
const text = (value) => constantPdaSeedNodeFromString('utf8', value);

/** Addresses that no instruction derives from addresses of accounts and from arguments alone. */
const ADDRESSES = {
  licensing: [
    {
      name: 'terms',
      seeds: [text('terms'), key('work'), variablePdaSeedNode('number', numberTypeNode('u32'))],
    },
  ],
  payments: [
    {
      name: 'channel', // `operator` is the authority of the operator, not its account
      seeds: [
        text('channel'),
        key('payer'),
        key('operator'),
        key('mint'),
        variablePdaSeedNode('salt', numberTypeNode('u64')),
      ],
    },
    {
      name: 'till', // `shares` is a digest: docs/formats.md says of what
      seeds: [
        text('till'),
        key('operator'),
        key('mint'),
        variablePdaSeedNode('shares', fixedSizeTypeNode(bytesTypeNode(), 32)),
      ],
    },
    {
      name: 'licensee',
      seeds: [
        text('licensee'),
        key('terms'),
        key('payer'),
        variablePdaSeedNode('licensedUse', definedTypeLinkNode('use')),
      ],
    },
  ],
};

function withTail(account) {
  assertIsNode(account, 'accountNode');
  const tail = TAILS[account.name];
  if (!tail) return account;
  const [name, type] = tail;
  const fields = [...account.data.fields, structFieldTypeNode({ name, type })];
  // The header's size is not the account's.
  return accountNode({ ...account, data: structTypeNode(fields), size: undefined });
}

function complete(codama, program) {
  codama.update(bottomUpTransformerVisitor([{ select: '[accountNode]', transform: withTail }]));
  codama.update(addPdasVisitor({ [program]: ADDRESSES[program] }));
}

const committed = fileURLToPath(new URL('../../idl', import.meta.url));
const [, , directory, source = committed] = process.argv;
if (!directory) {
  console.error('usage: node generate.mjs DIRECTORY [IDL_DIRECTORY]');
  process.exit(2);
}
for (const program of ['licensing', 'payments']) {
  const idl = JSON.parse(readFileSync(join(source, `${program}.json`), 'utf8'));
  for (const kind of ['stock', 'complete']) {
    const codama = createFromRoot(rootNodeFromAnchor(idl));
    if (kind === 'complete') complete(codama, program);
    await codama.accept(renderVisitor(join(directory, kind, program), { formatCode: false }));
  }
}
