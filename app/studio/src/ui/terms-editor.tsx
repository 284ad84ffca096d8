import type { Finding, Offer } from '@motif/sdk';
import { useEffect, useMemo } from 'preact/hooks';

import { formatAmount, type Currency } from '../lib/money.js';
import { useRules } from '../lib/rules.js';
import { texts } from '../texts.js';
import { Area, Field, Select } from './parts.js';

/** Terms that a document states. */
export interface ParsedTerms {
  readonly offer: Offer | undefined;
  readonly findings: readonly Finding[];
  readonly summary: string;
}

/** Parses a document of terms as the command line does. */
export function useTerms(toml: string, currency: Currency | undefined): ParsedTerms {
  const core = useRules();
  return useMemo(() => {
    if (!core || !currency || toml === '') return { offer: undefined, findings: [], summary: '' };
    const now = Math.floor(Date.now() / 1_000);
    const { offer, findings } = core.call('terms.parse', { text: toml, decimals: currency.decimals, now });
    const { mint, decimals } = currency;
    const summary = offer ? core.call('terms.summary', { offer, denomination: { mint, decimals } }).text : '';
    return { offer: offer ?? undefined, findings, summary };
  }, [core, toml, currency]);
}

interface Props {
  toml: string;
  parsed: ParsedTerms;
  currency: Currency;
  /** Share of the work's earnings that the user gets, basis points. */
  ownBps: number;
  /** Share of the parents, basis points. */
  parentBps: number;
  onToml(toml: string): void;
}

const PRICE = /^(\s*price\s*=\s*)("?)([^"\n]*)("?)/;
const WHOLE = 10_000n;
const SAMPLE = 1_000n;

/** Presets, prices, the document, and what it means. */
export function TermsEditor({ toml, parsed, currency, ownBps, parentBps, onToml }: Props) {
  const core = useRules();
  const presets = useMemo(() => core?.call('terms.presets', {}).presets ?? [], [core]);
  const first = presets.find(({ name }) => name === 'commercial-per-generation');
  useEffect(() => {
    if (toml === '' && first) onToml(first.toml);
  }, [toml, first]);
  const current = /^preset\s*=\s*"([^"]*)"/m.exec(toml)?.[1] ?? '';
  const preset = presets.find(({ name }) => name === current);
  const choose = (name: string) => onToml(presets.find((one) => one.name === name)?.toml ?? toml);
  const uses = readPrices(toml);
  return (
    <fieldset>
      <legend>{texts.register.terms}</legend>
      <Select label={texts.register.preset} value={current} options={presets.map(({ name }) => [name, name.replaceAll('-', ' ')])} onValue={choose} />
      {preset && <p class="quiet">{preset.description}</p>}
      <div class="columns">
        {uses.map(({ use, unit, price, line }) => (
          <Field
            key={use}
            label={texts.register.price(nameOf(texts.uses, use), nameOf(texts.units, unit))}
            inputMode="decimal"
            value={price}
            onValue={(value) => onToml(writePrice(toml, line, value))}
          />
        ))}
      </div>
      {parsed.offer && <Proceeds offer={parsed.offer} currency={currency} ownBps={ownBps} parentBps={parentBps} />}
      {parsed.findings.length > 0 && (
        <div class="notice bad" role="alert">
          <strong>{texts.register.findings}</strong>
          <ul>{parsed.findings.map(({ message }) => <li key={message}>{message}</li>)}</ul>
        </div>
      )}
      <h2>{texts.register.summary}</h2>
      <pre class="summary" aria-live="polite" tabIndex={0}>{parsed.summary}</pre>
      <details>
        <summary>{texts.register.document}</summary>
        <Area label={texts.register.document} help={texts.register.documentHelp} isCode rows={14} value={toml} onValue={onToml} />
      </details>
    </fieldset>
  );
}

function nameOf(names: Readonly<Record<string, string>>, key: string): string {
  return names[key] ?? key;
}

function Proceeds({ offer, currency, ownBps, parentBps }: { offer: Offer; currency: Currency; ownBps: number; parentBps: number }) {
  const [first] = offer.uses;
  if (!first) return null;
  const total = BigInt(first.price) * SAMPLE;
  const own = (total * (WHOLE - BigInt(parentBps)) * BigInt(ownBps)) / (WHOLE * WHOLE);
  return (
    <p class="proceeds" role="status">
      {total === 0n ? texts.register.noPrice : (
        <>
          {texts.register.thousand(`${texts.units[first.unit]}s`, formatAmount(total, currency))}{' '}
          <strong>{texts.register.yours(formatAmount(own, currency))}</strong>
        </>
      )}
    </p>
  );
}

interface PriceLine {
  readonly use: string;
  readonly unit: string;
  readonly price: string;
  readonly line: number;
}

/** Finds the prices of a document, with the lines that state them. */
function readPrices(toml: string): PriceLine[] {
  const prices: PriceLine[] = [];
  let [use, unit] = ['', ''];
  toml.split('\n').forEach((text, line) => {
    use = /^\s*use\s*=\s*"([^"]*)"/.exec(text)?.[1] ?? use;
    unit = /^\s*unit\s*=\s*"([^"]*)"/.exec(text)?.[1] ?? unit;
    const price = PRICE.exec(text)?.[3];
    if (price !== undefined) prices.push({ use, unit, price, line });
  });
  return prices;
}

function writePrice(toml: string, at: number, price: string): string {
  const clean = price.replace(/["\\\n]/g, '').replace(',', '.');
  return toml.split('\n').map((text, line) => (line === at ? text.replace(PRICE, (_, start: string) => `${start}"${clean}"`) : text)).join('\n');
}
