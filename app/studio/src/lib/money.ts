/** Currency of amounts. */
export interface Currency {
  readonly mint: string;
  readonly decimals: number;
  /** Name of the token, such as USDC. */
  readonly name: string;
  /** Whether a token is a dollar. */
  readonly isDollar: boolean;
  readonly tokenProgram: string;
}

/** Returns base units as a decimal number without trailing zeros, at least `digits` of its fraction. */
export function toDecimal(amount: bigint, decimals: number, digits = 0): string {
  const sign = amount < 0n ? '-' : '';
  const text = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0');
  const whole = text.slice(0, text.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  const fraction = text.slice(text.length - decimals).replace(/0+$/, '').padEnd(Math.min(digits, decimals), '0');
  return sign + (fraction === '' ? whole : `${whole}.${fraction}`);
}

/** Returns an amount for display: `$0.002`, or `0.002 tokens`. */
export function formatAmount(amount: bigint | string, currency: Currency): string {
  const units = BigInt(amount);
  if (currency.isDollar) return `$${toDecimal(units, currency.decimals, 2)}`;
  return `${toDecimal(units, currency.decimals)} ${currency.name}`;
}

/** Parses a decimal number of tokens into base units; returns `undefined` if it is none. */
export function parseAmount(text: string, decimals: number): bigint | undefined {
  const match = /^\s*\$?\s*(\d{1,12})(?:[.,](\d*))?\s*$/.exec(text);
  if (!match) return undefined;
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) return undefined;
  return BigInt(match[1]! + fraction.padEnd(decimals, '0'));
}

/** Parses a percentage with at most two decimals into basis points; returns `undefined` if it is none. */
export function parsePercent(text: string): number | undefined {
  const units = parseAmount(text.replace('%', ''), 2);
  return units === undefined || units > 10_000n ? undefined : Number(units);
}

/** Returns basis points as a percentage. */
export function formatBps(bps: number): string {
  return `${toDecimal(BigInt(bps), 2)}%`;
}

/** Returns lamports as SOL. */
export function formatSol(lamports: bigint): string {
  return `${toDecimal(lamports, 9)} SOL`;
}
