import { texts } from '../texts.js';
import { formatBps, parsePercent } from './money.js';

/** Recipient as a form has it. */
export interface ShareText {
  readonly recipient: string;
  readonly share: string;
}

/** Share of a work's own earnings. */
export interface Share {
  readonly recipient: string;
  readonly share_bps: number;
}

/** Recipients of one work. */
export const MOST_RECIPIENTS = 32;
const WHOLE = 10_000;
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;

/** Whether a text has the form of an address. */
export function isAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** Reads the shares of a form; the errors say what is wrong. */
export function readShares(rows: readonly ShareText[]): { shares: Share[]; errors: string[]; sum: string } {
  const errors: string[] = [];
  const seen = new Set<string>();
  const shares = rows.map(({ recipient: text, share }, index) => {
    const [recipient, share_bps] = [text.trim(), parsePercent(share) ?? 0];
    if (!isAddress(recipient)) errors.push(texts.register.badAddress(index + 1));
    else if (seen.has(recipient)) errors.push(texts.register.doubled(index + 1));
    if (share_bps === 0) errors.push(texts.register.badShare(index + 1));
    seen.add(recipient);
    return { recipient, share_bps };
  });
  const sum = shares.reduce((total, { share_bps }) => total + share_bps, 0);
  if (sum !== WHOLE) errors.push(texts.register.sumWrong);
  return { shares, errors, sum: formatBps(sum) };
}

/** Divides 100% by the weights of a list `address, weight` of at most 32 lines; the first gets what rounding leaves. */
export function readContributors(list: string): ShareText[] {
  const lines = list.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const weights = lines.slice(0, MOST_RECIPIENTS).map((line) => {
    const [recipient = '', weight = '1'] = line.split(/[\s,;]+/);
    return { recipient, weight: BigInt(/^\d{1,9}$/.test(weight) ? weight : 0) };
  });
  const total = weights.reduce((sum, { weight }) => sum + weight, 0n);
  if (total === 0n) return [];
  const parts = weights.map(({ weight }) => Number((weight * BigInt(WHOLE)) / total));
  const rest = WHOLE - parts.reduce((sum, part) => sum + part, 0);
  return weights.map(({ recipient }, index) => ({ recipient, share: formatBps(parts[index]! + (index === 0 ? rest : 0)).replace('%', '') }));
}
