import { gateway } from '../lib/catalogue.js';
import { formatBps, parsePercent } from '../lib/money.js';
import { texts } from '../texts.js';
import { Field } from './parts.js';

/** Parent as a form has it. */
export interface ParentText {
  readonly work: string;
  readonly share: string;
}

/** Parent with the terms that allow the derivative. */
export interface CheckedParent {
  readonly work: string;
  readonly share_bps: number;
  readonly right: { readonly terms: number };
}

/** Reads the parents of a form and looks their terms up. @throws Error that says what is wrong. */
export async function checkParents(rows: readonly ParentText[]): Promise<CheckedParent[]> {
  return Promise.all(
    rows.map(async ({ work: text, share }, index) => {
      const work = text.trim().replace(/^.*\/w\//, '');
      const found = await gateway.work(work).catch(() => undefined);
      const terms = found?.work.terms;
      if (!terms || terms.derivatives !== 'allowed') throw new Error(texts.register.parentUnknown(index + 1));
      const share_bps = parsePercent(share) ?? 0;
      if (share_bps < terms.derivative_share_bps) {
        throw new Error(texts.register.parentLeast(index + 1, formatBps(terms.derivative_share_bps)));
      }
      return { work, share_bps, right: { terms: terms.number } };
    }),
  );
}

const MOST_PARENTS = 8;

/** Works that a work was made from, and their shares. */
export function ParentsEditor({ rows, onRows }: { rows: readonly ParentText[]; onRows(rows: ParentText[]): void }) {
  const change = (at: number, part: Partial<ParentText>) => onRows(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <fieldset>
      <legend>{texts.register.parents}</legend>
      <p class="quiet">{texts.register.parentsHelp}</p>
      {rows.map((row, index) => (
        <div class="share" key={index}>
          <Field label={texts.register.parent(index + 1)} class="mono" spellcheck={false} value={row.work} onValue={(work) => change(index, { work })} />
          <Field label={texts.register.parentShare(index + 1)} inputMode="decimal" value={row.share} onValue={(share) => change(index, { share })} />
          <button type="button" aria-label={`${texts.remove}: ${texts.register.parent(index + 1)}`} onClick={() => onRows(rows.filter((_, at) => at !== index))}>×</button>
        </div>
      ))}
      <button type="button" disabled={rows.length >= MOST_PARENTS} onClick={() => onRows([...rows, { work: '', share: '20' }])}>{texts.register.addParent}</button>
    </fieldset>
  );
}
