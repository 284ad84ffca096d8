import { useState } from 'preact/hooks';

import { act, readFigures, readUsage, type Figures, type OperatorUsageBy, type ServedChannel } from '../lib/admin.js';
import { formatSol } from '../lib/money.js';
import { useLoaded, useReload } from '../lib/store.js';
import { texts } from '../texts.js';
import { Amount, Busy, Code, ErrorBox, Notice, Secret, Select, Text, Time, useAction } from './parts.js';

/** Figures of the operator, which the admin interface shows to the holder of its secret. */
export function AdminFigures() {
  const [entered, setEntered] = useState('');
  const [secret, setSecret] = useState('');
  if (secret !== '') return <Shown secret={secret} onEnd={() => setSecret('')} />;
  return (
    <form class="card" onSubmit={(event) => { event.preventDefault(); setSecret(entered.trim()); setEntered(''); }}>
      <Secret label={texts.operator.secret} help={texts.operator.secretHelp} value={entered} onValue={setEntered} />
      <button type="submit" class="primary" disabled={entered.trim() === ''}>{texts.operator.show}</button>
    </form>
  );
}

function Shown({ secret, onEnd }: { secret: string; onEnd(): void }) {
  const { value, error, reload } = useLoaded(() => readFigures(secret), [secret]);
  useReload(reload);
  if (error !== undefined) return <><ErrorBox error={error} /><button type="button" onClick={onEnd}>{texts.operator.other}</button></>;
  if (!value) return <Busy />;
  return (
    <>
      {value.sums.map((sums) => (
        <dl class="figures" key={sums.mint} data-sums={sums.mint}>
          <div data-exposed={String(sums.exposed)}><dt>{texts.operator.exposure}</dt><dd><Amount amount={sums.exposed} mint={sums.mint} /></dd><dd class="quiet">{texts.operator.exposureText(value.oldestUnsettled)}</dd></div>
          <div data-settled={String(sums.settled)}><dt>{texts.operator.settled}</dt><dd><Amount amount={sums.settled} mint={sums.mint} /></dd><dd class="quiet">{texts.operator.statements(sums.statements)}</dd></div>
          <div data-fees={String(sums.fees)}><dt>{texts.operator.fees}</dt><dd><Amount amount={sums.fees} mint={sums.mint} /></dd><dd class="quiet">{texts.operator.generations(sums.generations)}</dd></div>
        </dl>
      ))}
      {value.sums.length === 0 && <Notice>{texts.operator.noChannels}</Notice>}
      {value.isExact ? <Notice tone="good">{texts.operator.exact}</Notice> : <Notice tone="warn">{texts.operator.inexact}<ul>{value.differences.map((one) => <li key={one}><Text value={one} /></li>)}</ul></Notice>}
      <Channels channels={value.channels} secret={secret} onDone={reload} />
      <Usage secret={secret} />
      <Nodes figures={value} />
    </>
  );
}

function Channels({ channels, secret, onDone }: { channels: readonly ServedChannel[]; secret: string; onDone(): void }) {
  const action = useAction();
  const run = (channel: string, what: 'settlements' | 'fee-claims') => action.run(async () => { await act(secret, channel, what); onDone(); });
  if (channels.length === 0) return null;
  return (
    <section>
      <h2>{texts.operator.channels}</h2>
      <ErrorBox error={action.error} />
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.operator.channels}>
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.platform.channel}</th><th scope="col">{texts.operator.payer}</th>
              <th scope="col" class="number">{texts.operator.exposure}</th><th scope="col" class="number">{texts.platform.left}</th>
              <th scope="col" class="number">{texts.operator.unsettled}</th><th scope="col">{texts.operator.before}</th><th scope="col">{texts.operator.actions}</th>
            </tr>
          </thead>
          <tbody>
            {channels.map((one) => (
              <tr key={one.channel} data-served={one.channel}>
                <th scope="row"><Code value={one.channel} /></th><td><Code value={one.payer} /></td>
                <td class="number"><Amount amount={one.exposed} mint={one.mint} /></td><td class="number"><Amount amount={one.available} mint={one.mint} /></td>
                <td class="number">{one.unsettled_receipts}</td>
                <td>{one.settlement_problem ? <span class="bad"><Text value={one.settlement_problem} /></span> : one.settle_before ? <Time at={one.settle_before} /> : '–'}</td>
                <td>
                  <button type="button" disabled={action.isBusy || one.exposed === '0'} onClick={() => run(one.channel, 'settlements')}>{texts.operator.settle}<span class="hidden"> {one.channel}</span></button>{' '}
                  <button type="button" disabled={action.isBusy} onClick={() => run(one.channel, 'fee-claims')}>{texts.operator.claimFees}<span class="hidden"> {one.channel}</span></button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Usage({ secret }: { secret: string }) {
  const [by, setBy] = useState<OperatorUsageBy>('day');
  const { value, error } = useLoaded(() => readUsage(secret, by), [secret, by]);
  return (
    <section>
      <h2>{texts.operator.usage}</h2>
      <div class="filters"><Select label={texts.earnings.by} value={by} options={Object.entries(texts.operator.bys)} onValue={(to) => setBy(to as OperatorUsageBy)} /></div>
      <ErrorBox error={error} />
      {value && (
        <div class="scroll" tabIndex={0} role="region" aria-label={texts.operator.usage}>
          <table>
            <thead><tr><th scope="col">{texts.operator.bys[by]}</th><th scope="col" class="number">{texts.earnings.generations}</th><th scope="col" class="number">{texts.operator.prices}</th><th scope="col" class="number">{texts.operator.charged}</th></tr></thead>
            <tbody>
              {value.map(({ name, mint, generations, prices, charged }) => (
                <tr key={name + mint}>
                  <th scope="row">{by === 'day' ? name : <Code value={name || '–'} length={6} />}</th><td class="number">{generations}</td>
                  <td class="number"><Amount amount={prices} mint={mint} /></td><td class="number"><Amount amount={charged} mint={mint} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Nodes({ figures: { nodes, expenses } }: { figures: Figures }) {
  return (
    <section class="two">
      <div>
        <h2>{texts.operator.nodes}</h2>
        <div class="scroll" tabIndex={0} role="region" aria-label={texts.operator.nodes}>
          <table>
            <thead><tr><th scope="col">{texts.operator.host}</th><th scope="col" class="number">{texts.operator.requests}</th><th scope="col" class="number">{texts.operator.failures}</th><th scope="col" class="number">{texts.operator.behind}</th></tr></thead>
            <tbody>
              {nodes.map(({ host, isUp, requests, failures, behind }) => (
                <tr key={host} data-node={host}><th scope="row"><Text value={host} /> <span class={`badge ${isUp ? 'active' : 'disputed'}`}>{isUp ? texts.operator.up : texts.operator.down}</span></th><td class="number">{requests}</td><td class="number">{failures}</td><td class="number">{behind}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
      <div>
        <h2>{texts.operator.expenses}</h2>
        {expenses.length === 0 ? <p class="quiet">{texts.none}</p> : (
          <dl class="facts">{expenses.map(({ kind, transactions, fee_lamports }) => <><dt>{texts.operator.kinds[kind as keyof typeof texts.operator.kinds] ?? kind} ({transactions})</dt><dd>{formatSol(BigInt(fee_lamports))}</dd></>)}</dl>
        )}
      </div>
    </section>
  );
}
