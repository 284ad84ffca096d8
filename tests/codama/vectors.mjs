// Compares the generated clients with vectors that the Rust implementation computed.
//
//     npm run --silent vectors < vectors.json
//
// Input: {"addresses": [{program, name, seeds, address}], "accounts": [{program, name, data, fields}]},
// data in hexadecimal. Integers are strings, as JavaScript's numbers end at 2^53. Prints the number of
// vectors; exits with 1 at the first difference.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const programs = Object.fromEntries(
  ['licensing', 'payments'].map((name) => [name, require(`./compiled/complete/${name}/index.js`)]),
);
const pascal = (name) => name[0].toUpperCase() + name.slice(1);

/** Seeds as the generated code takes them: {"hex"} are bytes, {"integer"} are big integers. */
function seed(value) {
  if (value?.hex) return new Uint8Array(Buffer.from(value.hex, 'hex'));
  return value?.integer ? BigInt(value.integer) : value;
}

/** A decoded value as JSON that Rust can state: integers become strings, bytes hexadecimal. */
function plain(value) {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  }
  return value;
}

const { addresses, accounts } = JSON.parse(readFileSync(0, 'utf8'));
for (const { program, name, seeds, address } of addresses) {
  const find = programs[program][`find${pascal(name)}Pda`];
  assert.ok(find, `${program} has no find${pascal(name)}Pda`);
  const values = Object.fromEntries(Object.entries(seeds).map(([key, value]) => [key, seed(value)]));
  assert.equal((await find(values))[0], address, `address of ${name}`);
}
for (const { program, name, data, fields } of accounts) {
  const decode = programs[program][`get${pascal(name)}Decoder`]();
  const decoded = plain(decode.decode(new Uint8Array(Buffer.from(data, 'hex'))));
  for (const [field, expected] of Object.entries(fields)) {
    assert.deepEqual(decoded[field], expected, `${name}.${field}`);
  }
}
console.log(addresses.length + accounts.length);
