// The types of accounts have the fields that the rules return, no more and no less.
import { readFileSync } from 'node:fs';

import { beforeAll, expect, test } from 'vitest';

import { payments } from '@motif/sdk/programs';

import { World } from './support/world.js';

const SOURCES = ['accounts', 'types', 'calls'].map((name) => {
  return readFileSync(new URL(`../src/core/${name}.ts`, import.meta.url), 'utf8');
});
let world: World;
beforeAll(async () => {
  world = await World.start();
});

/** Returns the fields of an interface, in the order of the alphabet. */
function typed(name: string): string[] {
  const pattern = new RegExp(`^export interface ${name} \\{\n([\\s\\S]*?)^\\}`, 'm');
  const [, body = ''] = SOURCES.map((source) => pattern.exec(source)).find((match) => match !== null) ?? [];
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((match) => match[1]!).sort();
}

const fields = (value: object) => Object.keys(value).sort();

test('accounts have the fields of their types', async () => {
  const decode = (address: string) => world.core.call('account.decode', {}, world.account(address));
  const [vault] = await payments.findVaultPda({ mint: world.chain.mint });
  const { address: config } = world.core.call('address.config', {});
  const expected: [string, string][] = [
    [world.channel, 'ChannelFields'],
    [world.work, 'WorkFields'],
    [world.terms, 'TermsFields'],
    [await world.operatorAccount(), 'OperatorFields'],
    [vault, 'VaultFields'],
    [config, 'ConfigFields'],
  ];
  for (const [address, name] of expected) {
    const account = decode(address);
    const content = Object.entries(account).find(([key]) => key === account.kind)![1] as object;
    expect([name, fields(content)]).toEqual([name, typed(name)]);
    if (account.kind === 'channel') expect(fields(account.licenses[0]!)).toEqual(typed('License'));
    if (account.kind === 'terms') expect(fields(account.terms.offer)).toEqual(typed('Offer'));
  }
});

test('programs and headers are those of the module', () => {
  const { programs, headers } = world.core.call('version', {});
  const named = (type: string) => {
    const [, union = ''] = new RegExp(`export type ${type} =([^;]*);`).exec(SOURCES[2]!) ?? [];
    return [...union.matchAll(/'(\w+)'/g)].map((match) => match[1]!).sort();
  };
  expect([fields(programs), fields(headers)]).toEqual([named('ProgramName'), named('HeaderName')]);
});
