import type { Core, Payer, Receipt } from '@motif/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';

import { checkCost, costOf, generate, openPayer, TooDearError, type OwnChannel } from '../lib/channels.js';
import { formatAmount, parseAmount, type Currency } from '../lib/money.js';
import { rules, useRules } from '../lib/rules.js';
import { save } from '../lib/save.js';
import { texts } from '../texts.js';
import { Busy, ErrorBox, Field, Notice, Select, useAction } from './parts.js';

interface Props {
  channel: OwnChannel;
  titles: readonly string[];
  currency: Currency;
  onSettled(): void;
}

interface OpenPayer {
  readonly payer: Payer;
  readonly budget: bigint;
}

const MOST = 1_000;
const MOST_SHOWN = 12;

/** Buys generations with a session key of this browser. */
export function Playground({ channel, titles, currency, onSettled }: Props) {
  const [license, setLicense] = useState('0');
  const [prompt, setPrompt] = useState<string>(texts.platform.promptDefault);
  const [count, setCount] = useState('1');
  const [budget, setBudget] = useState('1');
  const [drawn, setDrawn] = useState(0);
  const [paid, setPaid] = useState(0);
  const [pictures, setPictures] = useState<readonly string[]>([]);
  const [receipts, setReceipts] = useState<readonly Receipt[]>([]);
  const [spent, setSpent] = useState<bigint>();
  const [inTotal, setInTotal] = useState<bigint>();
  const [pace, setPace] = useState<string>(texts.platform.runwayNone);
  const [isSettled, setSettled] = useState(false);
  const open = useRef<OpenPayer | undefined>(undefined);
  const action = useAction();
  const core = useRules();
  const most = parseAmount(budget, currency.decimals);
  const number = /^\d{1,4}$/.test(count) ? Math.min(Number(count), MOST) : 0;
  useEffect(() => () => void open.current?.payer.close().catch(() => undefined), []);

  /** Returns the payer; opens it again after a change of the budget. */
  const payerOf = async (limit: bigint): Promise<Payer> => {
    if (open.current?.budget === limit) return open.current.payer;
    await open.current?.payer.close();
    open.current = undefined;
    const payer = await openPayer(channel.channel, limit);
    open.current = { payer, budget: limit };
    return payer;
  };
  const pay = () =>
    action.run(async () => {
      setPaid(0);
      setDrawn(0);
      setSettled(false);
      const payer = await payerOf(most!);
      await payer.resume();
      await payer.refresh();
      const before = payer.spent;
      setInTotal(before);
      try {
        checkCost(await rules(), payer, Number(license), number);
      } catch (error) {
        throw error instanceof TooDearError ? new Error(refusal(error, number, currency)) : error;
      }
      const made = await generate(payer, Number(license), prompt, number, () => setDrawn((done) => done + 1));
      setPaid(number);
      setPictures((shown) => [...made.slice(0, MOST_SHOWN).map(({ picture }) => URL.createObjectURL(picture)), ...shown].slice(0, MOST_SHOWN));
      setReceipts((all) => [...all, ...made.map(({ receipt }) => receipt)]);
      setSpent(payer.spent - before);
      setInTotal(payer.spent);
      setPace(runway(payer));
    });
  const settle = () =>
    action.run(async () => {
      const payer = await payerOf(most!);
      await payer.settle();
      await payer.refresh();
      setSettled(true);
      onSettled();
    });
  const download = () => {
    const lines = receipts.map((receipt) => JSON.stringify({ receipt })).join('\n');
    save(`${lines}\n`, 'application/jsonl', 'receipts.jsonl');
  };
  const licenses = channel.licenses.map(({ work, use }, index) => [String(index), `${titles[index] || work.slice(0, 8)}: ${use}`] as const);
  const cost = core && number > 0 ? priceOf(core, channel, Number(license), number) : undefined;
  const isReady = number > 0 && most !== undefined && most > 0n && !action.isBusy;
  return (
    <form class="playground" onSubmit={(event) => { event.preventDefault(); if (isReady) pay(); }}>
      <h3>{texts.platform.playground}</h3>
      <p class="quiet">{texts.platform.playgroundText}</p>
      <div class="columns">
        <Select label={texts.platform.license} value={license} options={licenses} onValue={setLicense} />
        <Field label={texts.platform.prompt} value={prompt} onValue={setPrompt} />
        <Field label={texts.platform.count} inputMode="numeric" value={count} onValue={setCount} />
        <Field label={texts.platform.budget} inputMode="decimal" value={budget} onValue={setBudget} />
      </div>
      {isReady && cost !== undefined && <p class="quiet" data-cost>{costText(cost, number, most, inTotal, currency)}</p>}
      <ErrorBox error={action.error} />
      <div class="row">
        <button type="submit" class="primary" disabled={!isReady}>{number === 1 ? texts.platform.payOne : texts.platform.pay(number)}</button>
        <button type="button" disabled={action.isBusy || receipts.length === 0} onClick={settle}>{texts.platform.settle}</button>
        <button type="button" disabled={receipts.length === 0} onClick={download}>{texts.platform.receipts}</button>
      </div>
      {action.isBusy && <Busy text={texts.platform.drawing(drawn, number)} />}
      {!action.isBusy && (isSettled || (spent !== undefined && paid > 0)) && (
        <Notice tone="good">
          {spent !== undefined && paid > 0 && <p data-paid={paid}>{texts.platform.paid(paid, formatAmount(spent, currency))}</p>}
          {spent !== undefined && <p>{texts.platform.runway}: {pace}</p>}
          {isSettled && <p data-settled>{texts.platform.settled}</p>}
        </Notice>
      )}
      <div class="outputs">{pictures.map((url) => <img key={url} src={url} alt="" width="96" height="96" />)}</div>
    </form>
  );
}

/** Returns what generations cost by what has settled; `undefined` if the license does not allow them. */
function priceOf(core: Core, channel: OwnChannel, license: number, count: number): bigint | undefined {
  try {
    return costOf(core, channel.licenses[license]!, channel.feeBps, count);
  } catch {
    return undefined;
  }
}

/** Returns what generations cost and what the budget is, in the currency. */
function costText(cost: bigint, count: number, budget: bigint, spent: bigint | undefined, currency: Currency): string {
  const [costs, limit] = [formatAmount(cost, currency), formatAmount(budget, currency)];
  if (spent === undefined) return texts.platform.cost(count, costs, limit);
  const left = budget > spent ? budget - spent : 0n;
  return texts.platform.costLeft(count, costs, limit, formatAmount(spent, currency), formatAmount(left, currency));
}

/** Returns why nothing was paid, in the currency. */
function refusal({ limit, cost, left }: TooDearError, count: number, currency: Currency): string {
  const [costs, rest] = [formatAmount(cost, currency), formatAmount(left > 0n ? left : 0n, currency)];
  return limit === 'budget' ? texts.platform.overBudget(count, costs, rest) : texts.platform.overDeposit(count, costs, rest);
}

/** Returns the days that the channel's deposit lasts at the spending of this day. */
function runway(payer: Payer): string {
  const today = payer.spentOn(new Date());
  if (today === 0n) return texts.platform.runwayNone;
  const tenths = (payer.available * 10n) / today;
  return texts.platform.runwayDays(`${tenths / 10n}.${tenths % 10n}`);
}
