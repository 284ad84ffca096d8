import { UntrustedError, type Core, type Receipt, type ReceiptKey } from '@motif/sdk';

import { channelsOf, gateway, readOperator } from './catalogue.js';
import { base64Of, readAccounts } from './chain.js';
import { headersOf, usageOf } from './record.js';
import { ask } from './http.js';
import { decode, rules } from './rules.js';

/** Receipts of a work on one channel, all of them proved. */
export interface AuditedChannel {
  readonly channel: string;
  readonly payer: string;
  readonly mint: string;
  readonly receipts: number;
  /** Sum of the receipts on settled statements, which is what the chain credited; base units. */
  readonly amount: bigint;
}

/** Receipts that are not what the chain credited. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}

const PAGE = 1_000;
const AT_ONCE = 6;

/**
 * Proves the receipts of a work on every channel of this gateway's operator that its usage names, and compares their sums with
 * what each license was settled for on chain.
 *
 * @param onProved Called with the number of proved receipts.
 * @throws AuditError for a receipt that is not proved, or a license whose receipts are more or less than what was credited.
 */
export async function auditWork(work: string, person: string, onProved: (count: number) => void): Promise<AuditedChannel[]> {
  const core = await rules();
  const { operator } = await readOperator();
  const [account] = await readAccounts([core.call('address.operator', { authority: operator }).address]);
  const keys = decode(core, 'operator', account?.data)?.operator.receipt_keys;
  if (!keys) throw new AuditError('the operator is not registered on chain');
  const payers = (await usageOf(work, 'platform', person)).map(({ name }) => name);
  const channels = (await Promise.all([...new Set(payers)].map(channelsOf))).flat().map(({ channel }) => channel);
  const audited: AuditedChannel[] = [];
  let all = 0;
  for (const channel of channels) {
    const one = await auditChannel(core, { work, person, channel, keys, operator }, (count) => onProved(all + count));
    if (!one) continue;
    all += one.receipts;
    audited.push(one);
  }
  return audited;
}

interface Wanted {
  readonly work: string;
  readonly person: string;
  readonly channel: string;
  readonly keys: readonly ReceiptKey[];
  readonly operator: string;
}

async function auditChannel(core: Core, wanted: Wanted, onProved: (count: number) => void): Promise<AuditedChannel | undefined> {
  const { work, person, channel, keys, operator } = wanted;
  const [account] = await readAccounts([channel]);
  const decoded = decode(core, 'channel', account?.data);
  if (!account || !decoded || decoded.channel.operator !== operator) return undefined;
  const credited = new Map<number, bigint>();
  decoded.licenses.forEach((license, index) => {
    if (license.work === work) credited.set(index, BigInt(license.settled));
  });
  if (credited.size === 0) return undefined;
  const [proved, data] = [new Map<number, bigint>(), base64Of(account.data)];
  const settled = Number(decoded.channel.statements);
  let receipts = 0;
  for await (const page of pages(work, person, channel)) {
    const own = page.filter(({ statement }) => statement < settled);
    for (let start = 0; start < own.length; start += AT_ONCE) {
      await Promise.all(own.slice(start, start + AT_ONCE).map((receipt) => proveReceipt(core, receipt, { channel, data, keys })));
      onProved(receipts + start);
    }
    for (const { license, amount } of own) proved.set(license, (proved.get(license) ?? 0n) + BigInt(amount));
    receipts += own.length;
  }
  for (const license of new Set([...proved.keys(), ...credited.keys()])) {
    const [sum, amount] = [proved.get(license) ?? 0n, credited.get(license) ?? 0n];
    if (sum !== amount) throw new AuditError(`channel ${channel}, license ${license}: the receipts are ${sum} base units, the chain credited ${amount}`);
  }
  const amount = [...credited.values()].reduce((sum, one) => sum + one, 0n);
  return { channel, payer: decoded.channel.payer, mint: decoded.channel.mint, receipts, amount };
}

/** Reads the receipts of a work on a channel in order, each once. */
async function* pages(work: string, person: string, channel: string): AsyncGenerator<readonly Receipt[]> {
  for (let [statement, position] = [0, 0]; ; ) {
    const query = `channel=${channel}&statement=${statement}&position=${position}&limit=${PAGE}`;
    const { receipts } = await ask<{ receipts: Receipt[] }>(`/v1/works/${work}/receipts?${query}`, { headers: headersOf(person) });
    for (const receipt of receipts) {
      const isLater = receipt.statement > statement || (receipt.statement === statement && receipt.position >= position);
      if (receipt.work !== work || receipt.channel !== channel || !isLater) throw new UntrustedError('the gateway answered other receipts');
      [statement, position] = [receipt.statement, receipt.position + 1];
    }
    yield receipts;
    if (receipts.length < PAGE) return;
  }
}

async function proveReceipt(core: Core, receipt: Receipt, { channel, data, keys }: { channel: string; data: string; keys: readonly ReceiptKey[] }): Promise<void> {
  const proof = await gateway.proof(receipt.digest);
  try {
    core.call('proof.verify', { proof: { ...proof, receipt }, address: channel, channel: data, keys });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AuditError(`receipt ${receipt.digest}: ${reason}`, { cause: error });
  }
}
