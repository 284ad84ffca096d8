// Writes the reference in docs/typescript.md, below its guide, from the doc comments of what the entry points export.
//
//     npm run reference
//
// It fails if an export has no doc comment. With `--check` it writes nothing and fails if the page differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const PAGE = new URL('../../../docs/typescript.md', import.meta.url);
const DIST = new URL('../dist/', import.meta.url);
const ENTRIES = ['index', 'node/index', 'wallet/index', 'programs/index', 'x402/index', 'content/index'];
/** Files whose types are data that another document describes. */
const DATA = {
  'wire.d.ts': "JSON of the gateway's interface, which `app/gateway/openapi.json` describes",
  'core/accounts.d.ts': 'Accounts of the programs, as `account.decode` returns them',
  'core/types.d.ts': 'Inputs and results of [calls](../sdk/core/README.md#calls)',
};
const HEAD = `# Reference

Written by \`sdk/typescript/scripts/reference.mjs\` from the doc comments: edit those. Amounts are base units, digests are hexadecimal,
addresses base58, times unix seconds.
`;

const files = ENTRIES.map((name) => fileURLToPath(new URL(`${name}.d.ts`, DIST)));
const program = ts.createProgram(files, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
});
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });
const undocumented = [];

const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
const print = (node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
const place = (node) => node.getSourceFile().fileName.slice(fileURLToPath(DIST).length);
const isInternal = (node) => ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');

/** Returns a doc comment without the names of types that `@link` resolves. */
function docOf(symbol) {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  return text.replace(/\{@link (\w+) *\}/g, '`$1`').trim();
}

function exportsOf(file) {
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  const resolved = exported.map((symbol) => {
    const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return { name: symbol.name, symbol: own, node: own.declarations[0] };
  });
  return resolved.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Returns the row of a member of a class or an interface. */
function row(member) {
  const symbol = checker.getSymbolAtLocation(member.name ?? member);
  const doc = oneLine(symbol ? docOf(symbol) : '');
  const text = oneLine(print(member))
    .replace(/^get (\w+)\(\)/, '$1')
    .replace(/^((abstract|readonly) )+/, '')
    .replace(/;$/, '');
  return `| \`${text.replaceAll('|', '\\|')}\` | ${doc.replaceAll('|', '\\|')} |`;
}

function isPublic(member) {
  const modifiers = (ts.canHaveModifiers(member) && ts.getModifiers(member)) || [];
  const isHidden = modifiers.some(({ kind }) => {
    return kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword;
  });
  return !isHidden && !isInternal(member) && !(member.name && ts.isPrivateIdentifier(member.name));
}

function* item({ name, symbol, node }) {
  yield `### \`${name}\`\n`;
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    const kind = ts.isClassDeclaration(node) ? 'class' : 'interface';
    const base = node.heritageClauses?.map((clause) => ` ${print(clause).trim()}`).join('') ?? '';
    yield `\`\`\`typescript\n${kind} ${name}${base}\n\`\`\`\n`;
  } else {
    const declarations = ts.isFunctionDeclaration(node) ? symbol.declarations : [node];
    const texts = declarations.map((one) =>
      print(one)
        .replace(/^export /, '')
        .replace(/^declare /, ''),
    );
    yield `\`\`\`typescript\n${texts.join('\n')}\n\`\`\`\n`;
  }
  yield `${docOf(symbol)}\n`;
  if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return;
  const members = node.members.filter(isPublic);
  if (members.length > 0) yield ['| member | |', '|---|---|', ...members.map(row), ''].join('\n');
}

function* section(entry, seen) {
  const path = entry.replace(/\/?index$/, '');
  yield `## \`@motif/sdk${path && `/${path}`}\`\n`;
  const data = new Map(Object.keys(DATA).map((file) => [file, []]));
  const items = [];
  for (const exported of exportsOf(fileURLToPath(new URL(`${entry}.d.ts`, DIST)))) {
    if (seen.has(exported.symbol)) continue;
    seen.add(exported.symbol);
    const file = place(exported.node);
    if (ts.isSourceFile(exported.node)) {
      items.push([
        `### \`${exported.name}\`\n`,
        "Client that Codama generates from the program's interface description.\n",
      ]);
    } else if (data.has(file)) {
      data.get(file).push(exported.name);
    } else {
      if (!docOf(exported.symbol)) undocumented.push(`${exported.name} (${file})`);
      items.push([...item(exported)]);
    }
  }
  yield* items.flat();
  for (const [file, names] of data) {
    if (names.length > 0) yield `${DATA[file]}: ${names.map((name) => `\`${name}\``).join(', ')}.\n`;
  }
}

const seen = new Set();
const [guide] = readFileSync(PAGE, 'utf8').split(`\n${HEAD.split('\n')[0]}\n`);
const sections = ENTRIES.flatMap((entry) => [...section(entry, seen)]);
const page = `${[guide, HEAD, ...sections].join('\n').trimEnd()}\n`;
if (undocumented.length > 0) {
  console.error(`no doc comment: ${undocumented.join(', ')}`);
  process.exitCode = 1;
} else if (!process.argv.includes('--check')) {
  writeFileSync(PAGE, page);
} else if (readFileSync(PAGE, 'utf8') !== page) {
  console.error('docs/typescript.md differs from the doc comments: run `npm run reference`');
  process.exitCode = 1;
}
