import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

import { explain } from '../lib/errors.js';
import { currencyOf } from '../lib/chain.js';
import { formatAmount } from '../lib/money.js';
import { callOther, useRules } from '../lib/rules.js';
import { useLoaded, useStore } from '../lib/store.js';
import { isChoosing, session } from '../lib/wallets.js';
import { texts } from '../texts.js';

/** Text from the chain or a gateway; invisible characters are shown escaped. */
export function Text({ value }: { value: string }) {
  const core = useRules();
  return <>{core && value !== '' ? callOther(core, 'text.visible', { text: value }).text : ''}</>;
}

/** Shortened address, digest or signature, with a button that copies it. */
export function Code({ value, length = 4 }: { value: string; length?: number }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard?.writeText(value).then(() => setCopied(true));
  const short = value.length > 2 * length + 3 ? `${value.slice(0, length)}…${value.slice(-length)}` : value;
  return (
    <button type="button" class="code" title={value} onClick={copy}>
      <span class="hidden">{texts.copy} </span>{isCopied ? texts.copied : short}
    </button>
  );
}

/** Amount of a currency that may not be loaded yet. */
export function Amount({ amount, mint }: { amount: bigint | string; mint: string }) {
  const { value, error } = useLoaded(() => currencyOf(mint), [mint]);
  return <>{value ? formatAmount(amount, value) : error === undefined ? '…' : texts.baseUnits(String(amount))}</>;
}

/** Time of the user's calendar. */
export function Time({ at }: { at: number }) {
  const date = new Date(at * 1_000);
  return <time dateTime={date.toISOString()}>{date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}</time>;
}

interface FieldProps {
  inputMode?: 'decimal' | 'numeric';
  class?: string;
  spellcheck?: boolean;
  required?: boolean;
  autocomplete?: 'name';
  maxLength?: number;
  label: string;
  help?: string;
  error?: string | undefined;
  value: string;
  onValue(value: string): void;
}

/** Labelled text field. */
export function Field({ label, help, error, value, onValue, ...rest }: FieldProps) {
  const id = useId();
  const notes = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...rest}
        type="text"
        id={id}
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={notes || undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {help && <small id={`${id}-help`}>{help}</small>}
      {error && <small id={`${id}-error`} class="bad">{error}</small>}
    </div>
  );
}

/** Labelled field of a secret, which the browser neither shows nor keeps. */
export function Secret({ label, help, value, onValue }: Pick<FieldProps, 'label' | 'value' | 'onValue'> & { help: string }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input type="password" autocomplete="off" id={id} value={value} aria-describedby={`${id}-help`} onInput={(event) => onValue(event.currentTarget.value)} />
      <small id={`${id}-help`}>{help}</small>
    </div>
  );
}

interface AreaProps {
  label: string;
  help?: string;
  value: string;
  rows?: number;
  isCode?: boolean;
  onValue(value: string): void;
}

/** Labelled field of several lines. */
export function Area({ label, help, value, rows = 3, isCode, onValue }: AreaProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        value={value}
        class={isCode ? 'mono' : ''}
        spellcheck={!isCode}
        aria-describedby={help ? `${id}-help` : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {help && <small id={`${id}-help`}>{help}</small>}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onValue(value: string): void;
}

/** Labelled choice. */
export function Select({ label, value, options, onValue }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>{text}</option>
        ))}
      </select>
    </div>
  );
}

interface FileProps {
  label: string;
  hint: string;
  accept?: string;
  onFile(file: File): void;
}

/** Zone in which a file is dropped, or chosen by keyboard. */
export function FileZone({ label, hint, accept, onFile }: FileProps) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file) onFile(file);
  };
  const hover = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files);
  };
  return (
    <div class={isOver ? 'zone over' : 'zone'} onDragOver={hover} onDragLeave={() => setOver(false)} onDrop={drop}>
      <Icon name="file" />
      <label for={id}>{label}</label>
      <input id={id} type="file" accept={accept} onChange={(event) => take(event.currentTarget.files)} />
      <small>{hint}</small>
    </div>
  );
}

/** Box with an error: what is wrong, and what to do. */
export function ErrorBox({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  if (error === undefined) return null;
  const { what, action } = explain(error);
  return (
    <div class="notice bad" role="alert">
      <strong>{texts.errors.title}</strong>
      <p>{what}</p>
      <p>{action}</p>
      {onRetry && <button type="button" onClick={onRetry}>{texts.retry}</button>}
    </div>
  );
}

/** Message that is read out when it appears. */
export function Notice({ tone = 'info', children }: { tone?: 'info' | 'good' | 'warn'; children: ComponentChildren }) {
  return <div class={`notice ${tone}`} role="status">{children}</div>;
}

/** Shown while something loads. */
export function Busy({ text = texts.loading }: { text?: string }) {
  return <p class="busy" role="status"><span class="spinner" aria-hidden="true" />{text}</p>;
}

/** Runs one action at a time; returns its state and the function that starts it. */
export function useAction(): { isBusy: boolean; error: unknown; run(action: () => Promise<void>): void } {
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({ isBusy: false, error: undefined });
  const run = (action: () => Promise<void>) => {
    setState({ isBusy: true, error: undefined });
    action().then(
      () => setState({ isBusy: false, error: undefined }),
      (error: unknown) => setState({ isBusy: false, error }),
    );
  };
  return { ...state, run };
}

/** Content for a connected wallet; without one, the button that connects it. */
export function WithWallet({ children }: { children: (current: NonNullable<typeof session.value>) => ComponentChildren }) {
  const current = useStore(session);
  if (current) return <>{children(current)}</>;
  return (
    <div class="card center">
      <p>{texts.wallet.need}</p>
      <button type="button" class="primary" onClick={() => isChoosing.set(true)}>{texts.wallet.connect}</button>
    </div>
  );
}

const PATHS = {
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9h.01',
  recording: 'M9 18V6l10-2v11M9 18a3 3 0 1 1-3-3 3 3 0 0 1 3 3zm10-3a3 3 0 1 1-3-3 3 3 0 0 1 3 3z',
  voice: 'M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4',
  text: 'M5 6h14M5 10h14M5 14h14M5 18h8',
  video: 'M4 6h11v12H4zM15 10l5-3v10l-5-3z',
  dataset: 'M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0',
  'style-model': 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
} as const;

/** Drawing of a kind of work. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
