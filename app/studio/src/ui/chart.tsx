import { formatAmount, type Currency } from '../lib/money.js';
import type { UsageRow } from '../lib/record.js';
import { texts } from '../texts.js';

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [720, 210, 76, 26, 12];
const MOST_DAYS = 60;
const LEAST_DAYS = 7;
const DAY = 86_400_000;
const LINES = 4n;

interface Day {
  readonly name: string;
  readonly prices: bigint;
  readonly settled: bigint;
}

/** Earnings of the last days as columns: settled, and above it what is not settled yet. A table beside it has the same amounts. */
export function DayChart({ rows, currency }: { rows: readonly UsageRow[]; currency: Currency }) {
  const days = fillDays(rows);
  const most = scaleOf(days.reduce((high, { prices }) => (prices > high ? prices : high), 1n));
  const step = (WIDTH - LEFT) / days.length;
  const y = (amount: bigint) => HEIGHT - BOTTOM - Number((amount * BigInt((HEIGHT - BOTTOM - TOP) * 100)) / most) / 100;
  const width = Math.max(2, step * 0.64);
  const every = Math.ceil(days.length / 7);
  const total = days.reduce((sum, { prices }) => sum + prices, 0n);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={texts.earnings.chart(days.length, formatAmount(total, currency))}>
        {Array.from({ length: Number(LINES) + 1 }, (_, line) => (most * BigInt(line)) / LINES).map((amount) => (
          <g key={String(amount)}>
            <line x1={LEFT} x2={WIDTH} y1={y(amount)} y2={y(amount)} class="grid" />
            <text x={LEFT - 8} y={y(amount) + 4} text-anchor="end">{formatAmount(amount, currency)}</text>
          </g>
        ))}
        {days.map(({ name, prices, settled }, at) => {
          const x = LEFT + step * at + (step - width) / 2;
          return (
            <g key={name}>
              <rect x={x} y={y(prices)} width={width} height={y(0n) - y(prices)} class="open" />
              <rect x={x} y={y(settled)} width={width} height={y(0n) - y(settled)} class="settled" />
              {at % every === 0 && <text x={x + width / 2} y={HEIGHT - 8} text-anchor="middle">{name.slice(5)}</text>}
            </g>
          );
        })}
      </svg>
      <figcaption><span class="key settled" />{texts.earnings.settledKey}<span class="key open" />{texts.earnings.openKey}</figcaption>
    </figure>
  );
}

/** Returns the days from the first with usage, or a week ago, until the last, without gaps. */
function fillDays(rows: readonly UsageRow[]): Day[] {
  const byName = new Map(rows.map(({ name, prices, settled }) => [name, { prices: BigInt(prices), settled: BigInt(settled) }]));
  const times = [...byName.keys()].map((name) => Date.parse(name)).filter((time) => !Number.isNaN(time));
  const last = Math.max(...times);
  const first = Math.max(Math.min(...times, last - (LEAST_DAYS - 1) * DAY), last - (MOST_DAYS - 1) * DAY);
  return Array.from({ length: Math.round((last - first) / DAY) + 1 }, (_, at) => {
    const name = new Date(first + at * DAY).toISOString().slice(0, 10);
    return { name, ...(byName.get(name) ?? { prices: 0n, settled: 0n }) };
  });
}

/** Returns a round amount that is at least `most` and that four lines divide. */
function scaleOf(most: bigint): bigint {
  for (let unit = 1n; ; unit *= 10n) {
    for (const factor of [4n, 8n, 12n, 16n, 20n, 28n]) if (unit * factor >= most) return unit * factor;
  }
}
