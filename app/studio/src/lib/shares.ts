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

/** Recipients that a registration with a title and a description has room for; the program allows 32. */
export const MOST_RECIPIENTS = 18;
const WHOLE = 10_000;
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;

/** Whether a text has the form of an address. */
export function isAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** Recipient who is not known yet: the person that will sign a voice's registration. */
export const SIGNER = 'you';

/** Reads the shares of a form, where {@link SIGNER} may be a recipient if `hasSigner`; the errors say what is wrong. */
export function readShares(rows: readonly ShareText[], hasSigner = false): { shares: Share[]; errors: string[]; sum: string } {
  const errors: string[] = [];
  const seen = new Set<string>();
  const shares = rows.map(({ recipient: text, share }, index) => {
    const [recipient, share_bps] = [text.trim(), parsePercent(share) ?? 0];
    const isKnown = isAddress(recipient) || (hasSigner && recipient === SIGNER);
    if (!isKnown) errors.push(texts.register.badAddress(index + 1));
    else if (seen.has(recipient)) errors.push(texts.register.doubled(index + 1));
    if (share_bps === 0) errors.push(texts.register.badShare(index + 1));
    seen.add(recipient);
    return { recipient, share_bps };
  });
  const sum = shares.reduce((total, { share_bps }) => total + share_bps, 0);
  if (sum !== WHOLE) errors.push(texts.register.sumWrong);
  return { shares, errors, sum: formatBps(sum) };
}
