import { MOST_RECIPIENTS, readShares, type ShareText } from '../lib/shares.js';
import { texts } from '../texts.js';
import { Field } from './parts.js';

interface Props {
  rows: readonly ShareText[];
  /** Address that the first row shows as the user. */
  own: string;
  /** Whether a person who signs later can be a recipient. */
  hasSigner: boolean;
  /** Whether the way to register many recipients is shown. */
  hasPool: boolean;
  onRows(rows: ShareText[]): void;
}

/** Recipients and their shares. */
export function SplitEditor({ rows, own, hasSigner, hasPool, onRows }: Props) {
  const { sum, errors } = readShares(rows, hasSigner);
  const change = (at: number, part: Partial<ShareText>) => onRows(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  const isTouched = rows.some(({ recipient, share }) => recipient !== '' && share !== '');
  return (
    <fieldset>
      <legend>{texts.register.split}</legend>
      <p class="quiet">{texts.register.splitHelp}</p>
      {rows.map((row, index) => (
        <div class="share" key={index}>
          <Field
            label={row.recipient === own ? `${texts.register.recipient(index + 1)} (${texts.register.you})` : texts.register.recipient(index + 1)}
            class="mono"
            spellcheck={false}
            value={row.recipient}
            onValue={(recipient) => change(index, { recipient })}
          />
          <Field label={texts.register.share(index + 1)} inputMode="decimal" value={row.share} onValue={(share) => change(index, { share })} />
          {rows.length > 1 && (
            <button type="button" aria-label={`${texts.remove}: ${texts.register.recipient(index + 1)}`} onClick={() => onRows(rows.filter((_, at) => at !== index))}>×</button>
          )}
        </div>
      ))}
      <div class="row">
        <button type="button" disabled={rows.length >= MOST_RECIPIENTS} onClick={() => onRows([...rows, { recipient: '', share: '' }])}>{texts.register.add}</button>
        <output>{texts.register.sum(sum)}</output>
      </div>
      {isTouched && errors.length > 0 && <ul class="bad">{errors.map((error) => <li key={error}>{error}</li>)}</ul>}
      {hasPool && <p><a href="/studio/dataset">{texts.pool.link}</a></p>}
    </fieldset>
  );
}
