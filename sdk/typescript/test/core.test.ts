// The rules, against golden vectors that another implementation has made.
import { readFileSync } from 'node:fs';

import { address } from '@solana/kit';
import { beforeAll, describe, expect, test } from 'vitest';

import {
  Core,
  PayerCore,
  signerFromSecretKey,
  type Receipt,
  type StatementEntry,
  type TillShares,
  type Voucher,
} from '@motif/sdk';
import { payments } from '@motif/sdk/programs';

type VoucherVector = Omit<Voucher, 'cumulative'> & {
  cumulative: number;
  bytes: string;
  entries: StatementEntry[];
  statement_bytes: string;
  secret_key: string;
  public_key: string;
};
type ReceiptVector = Receipt & {
  bytes: string;
  operator: string;
  bundle: { siblings: NonNullable<Receipt['bundle']>; signature: string };
};

let core: Core;
let payerCore: PayerCore;
beforeAll(async () => {
  [core, payerCore] = await Promise.all([Core.load(), PayerCore.load()]);
});

/** Golden vector; its integers are texts, as JavaScript's numbers end at 2^53. */
function golden<T>(name: string): T {
  const text = readFileSync(new URL(`../../../tests/golden/${name}.json`, import.meta.url), 'utf8');
  return JSON.parse(text.replace(/: (\d{16,})/g, ': "$1"')) as T;
}
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

test('module is of the interface that the package speaks', () => {
  const { abi, calls, headers, programs } = core.call('version', {});
  expect(abi).toBe(1);
  expect(headers).toMatchObject({ payment: 'motif-payment', receipt: 'motif-receipt' });
  expect(programs).toMatchObject({ payments: 'BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w' });
  expect(calls).toContain('payer.answered');
});

const source = (name: string) => readFileSync(new URL(`../src/core/${name}.ts`, import.meta.url), 'utf8');
const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);
const CALL = /^  '([a-z_]+\.[a-z_]+)': Call</gm;

test('every call of the module is typed', () => {
  const [calls, instructions] = [source('calls'), source('instructions')];
  const seeds = calls.slice(calls.indexOf('interface AddressSeeds'), calls.indexOf('type AddressCalls'));
  const typed = [
    ...names(calls, CALL),
    ...names(calls, /^  (version): Call</gm),
    ...names(seeds, /^  ([a-z_]+):/gm).map((name) => `address.${name}`),
    ...names(instructions, /^  ([a-z_]+): \{/gm).map((name) => `instruction.${name}`),
  ];
  expect(typed.sort()).toEqual([...core.call('version', {}).calls].sort());
});

test("every call of the payers' module is typed", () => {
  const calls = source('calls');
  const blocks = ['PriceCalls', 'ReceiptCalls', 'PayerCalls', 'PaywallCalls'].map((name) => {
    const start = calls.indexOf(`interface ${name} {`);
    return calls.slice(start, calls.indexOf('\n}\n', start));
  });
  const union = calls.slice(calls.indexOf('export type PayerCallName'));
  const excluded = names(union, /Exclude<keyof \w+, '([a-z_.]+)'>/g);
  const typed = [...blocks.flatMap((block) => names(block, CALL)), ...names(union, /^  \| '([a-z_.]+)'$/gm)];
  expect(typed.filter((name) => !excluded.includes(name)).sort()).toEqual(
    [...payerCore.call('version', {}).calls].sort(),
  );
});

/** Both modules have the rules of these tests. */
const MODULES = [
  ['all rules', () => core],
  ['rules of payers', () => payerCore],
] as const;

describe.each(MODULES)('%s', (_, rules) => {
  test('voucher has its golden bytes and signature', async () => {
    const core = rules();
    const vector = golden<VoucherVector>('voucher');
    const { cluster, channel, opened_slot, statement, statement_digest, expires_at, cumulative } = vector;
    const voucher = {
      cluster,
      channel,
      opened_slot,
      statement,
      statement_digest,
      expires_at,
      cumulative: String(cumulative),
    };
    const { bytes } = core.call('voucher.bytes', { voucher });
    expect(bytes).toBe(vector.bytes);
    const signer = await signerFromSecretKey(bytesOf(vector.secret_key));
    expect(signer.address).toBe(vector.public_key);
    const signature = Buffer.from(await signer.sign(bytesOf(bytes))).toString('hex');
    expect(signature).toBe(vector.signature);
    core.call('voucher.verify', { voucher: { ...voucher, signature }, key: signer.address });
    const forged = { ...voucher, signature, cumulative: '1' };
    expect(() => core.call('voucher.verify', { voucher: forged, key: signer.address })).toThrow();
    expect(core.call('statement.digest', { entries: vector.entries })).toEqual({
      bytes: vector.statement_bytes,
      digest: statement_digest,
    });
  });

  test('receipt has its golden bytes and signatures', () => {
    const core = rules();
    const fields = golden<ReceiptVector>('receipt');
    const { digest, operator, bundle, bytes } = fields;
    const receipt: Receipt = {
      digest,
      channel: fields.channel,
      opened_slot: fields.opened_slot,
      statement: fields.statement,
      position: fields.position,
      license: fields.license,
      units: fields.units,
      terms_number: fields.terms_number,
      amount: String(fields.amount),
      cumulative: String(fields.cumulative),
      work: fields.work,
      request_digest: fields.request_digest,
      output_digest: fields.output_digest,
      issued_at: fields.issued_at,
      signature: fields.signature,
    };
    const keys = [{ key: operator, valid_from: 0 }];
    expect(core.call('receipt.digest', { receipt })).toEqual({ digest, bytes });
    expect(core.call('receipt.verify', { receipt, keys })).toEqual({ digest });
    const bundled = { ...receipt, signature: bundle.signature, bundle: bundle.siblings };
    expect(core.call('receipt.verify', { receipt: bundled, keys })).toEqual({ digest });
    for (const forged of [
      { ...receipt, units: 3 },
      { ...receipt, signature: bundle.signature },
      { ...bundled, bundle: bundled.bundle.slice(1) },
    ]) {
      expect(() => core.call('receipt.verify', { receipt: forged, keys })).toThrowError(
        expect.objectContaining({ type: 'receipt-invalid' }),
      );
    }
    const late = [{ key: operator, valid_from: receipt.issued_at + 1 }];
    expect(() => core.call('receipt.verify', { receipt, keys: late })).toThrow();
  });

  test('till has the address of its golden shares', async () => {
    const core = rules();
    const { shares, mint } = golden<{ shares: TillShares & { operator: string; digest: string }; mint: string }>(
      'sale',
    );
    const { digest, ...parts } = shares;
    const [till] = await payments.findTillPda({
      operator: address(parts.operator),
      mint: address(mint),
      shares: bytesOf(digest),
    });
    expect(core.call('address.till', { shares: parts, mint }).address).toBe(till);
  });

  test('request digest is bound to method, target and body', () => {
    const core = rules();
    const digest = (method: string, target: string, body: string) => {
      return core.call('request.digest', { method, target }, new TextEncoder().encode(body)).digest;
    };
    // Computed by another program from docs/formats.md.
    const expected = '0d4f7adf583d4d21791014a30ec36787105cfa9246b77c9da2e7e2dd9be83ae6';
    expect(digest('POST', '/images?size=1', '{"prompt":"New York"}')).toBe(expected);
    expect(digest('PUT', '/images?size=1', '{"prompt":"New York"}')).not.toBe(expected);
  });

  test('price and fee are those of the chain', () => {
    const core = rules();
    const quote = (price: string, units: number) => core.call('price.quote', { price, units, operator_fee_bps: 200 });
    expect(quote('1000', 100)).toEqual({ price: '100000', fee: '2000', total: '102000' });
    expect(quote('1', 49)).toEqual({ price: '49', fee: '0', total: '49' });
    expect(() => quote('18446744073709551615', 2)).toThrowError(expect.objectContaining({ type: 'overflow' }));
  });
});

test('terms are parsed, summed up and exported', () => {
  const { presets } = core.call('terms.presets', {});
  expect(presets.length).toBeGreaterThan(2);
  for (const { toml } of presets) {
    const { findings } = core.call('terms.parse', { text: toml, decimals: 6, now: 1_800_000_000 });
    expect(findings.every(({ message }) => message.length > 0)).toBe(true);
  }
  const offer = { uses: [{ use: 'generate', unit: 'generation', price: '20000' } as const] };
  const mint = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU';
  const { text } = core.call('terms.summary', { offer, denomination: { mint, decimals: 6, name: 'USD' } });
  expect(text).toContain('0.02');
  const { findings } = core.call('terms.parse', { text: 'uses = 3', now: 1_800_000_000 });
  expect(findings[0]?.message.length).toBeGreaterThan(0);
});

test('malformed input is a typed error', () => {
  expect(() => core.call('account.decode', {}, new Uint8Array(9))).toThrowError(
    expect.objectContaining({ type: 'account-invalid' }),
  );
  expect(() => core.call('address.work', { creator: 'not an address', content_digest: '00' })).toThrow();
  const unknown = core.call as unknown as (name: string, input: object) => unknown;
  expect(() => unknown.call(core, 'no.such', {})).toThrowError(expect.objectContaining({ type: 'invalid-input' }));
});
