import { isAdminListener } from '../lib/admin.js';
import { gateway, readOperator } from '../lib/catalogue.js';
import { currencyOf, readAccount } from '../lib/chain.js';
import { formatBps } from '../lib/money.js';
import { decode, rules } from '../lib/rules.js';
import { useLoaded } from '../lib/store.js';
import { texts } from '../texts.js';
import { AdminFigures } from '../ui/figures.js';
import { Amount, Busy, Code, ErrorBox, Text, Time } from '../ui/parts.js';

async function load() {
  const [core, operator, paid] = await Promise.all([rules(), readOperator(), gateway.paidRoutes().catch(() => ({ routes: [] }))]);
  const account = await readAccount(core.call('address.operator', { authority: operator.operator }).address);
  const currencies = await Promise.all(operator.mints.map(currencyOf));
  return { operator, paid, currencies, chain: decode(core, 'operator', account?.data)?.operator };
}

/** Conditions of the operator of this gateway; beside the admin interface, its figures. */
export default function OperatorPage() {
  const { value: isAdmin, error, reload } = useLoaded(isAdminListener, []);
  return (
    <>
      <h1>{texts.operator.title}</h1>
      <ErrorBox error={error} onRetry={reload} />
      {isAdmin === undefined && error === undefined && <Busy />}
      {isAdmin === true && <AdminFigures />}
      {isAdmin === false && <Conditions />}
      <Exchange />
      {isAdmin === false && <p class="notice info">{texts.operator.admin} {texts.operator.adminText}</p>}
    </>
  );
}

function Conditions() {
  const { value, error, reload } = useLoaded(load, []);
  return (
    <>
      <ErrorBox error={error} onRetry={reload} />
      {!value && error === undefined && <Busy />}
      {value && (
        <section>
          <h2>{texts.operator.conditions}</h2>
          <dl class="facts">
            <dt>{texts.operator.address}</dt><dd><Code value={value.operator.operator} length={8} /></dd>
            <dt>{texts.operator.fee}</dt><dd>{formatBps(value.operator.operator_fee_bps)}</dd>
            <dt>{texts.operator.grace}</dt><dd>{value.operator.min_grace_seconds} s</dd>
            <dt>{texts.operator.mints}</dt><dd>{value.currencies.map(({ name }) => name).join(', ') || texts.operator.allMints}</dd>
            {value.chain?.url && <><dt>{texts.operator.url}</dt><dd><Text value={value.chain.url} /></dd></>}
            {value.chain?.receipt_keys.map(({ key, valid_from }) => (
              <><dt>{texts.operator.keys}</dt><dd><Code value={key} length={8} /> {valid_from > 0 && <Time at={valid_from} />}</dd></>
            ))}
          </dl>
          <h2>{texts.operator.paid}</h2>
          {value.paid.routes.length === 0 ? <p class="quiet">{texts.operator.noPaid}</p> : (
            <ul>
              {value.paid.routes.map(({ method, path, price_tag: { quote } }) => (
                <li key={method + path}><Text value={`${method} ${path}`} />: <Amount amount={quote.price_with_fee} mint={quote.currency} /> / {texts.units[quote.unit]}</li>
              ))}
            </ul>
          )}
        </section>
      )}
    </>
  );
}

const LANES = ['Client', 'Gateway', 'Model'];
const [WIDTH, TOP, STEP] = [640, 40, 44];

function Exchange() {
  const steps = texts.operator.exchangeSteps;
  const at = (name: string) => 90 + LANES.indexOf(name) * 230;
  const bottom = TOP + STEP * steps.length + 10;
  return (
    <section>
      <h2>{texts.operator.exchange}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={texts.operator.exchange}>
        <svg class="sequence" viewBox={`0 0 ${WIDTH} ${bottom}`} role="img" aria-label={steps.map(([from, to, text]) => `${from} to ${to}: ${text}`).join('. ')}>
          {LANES.map((lane) => (
            <g key={lane}><text x={at(lane)} y={20} text-anchor="middle" class="lane">{lane}</text><line x1={at(lane)} y1={30} x2={at(lane)} y2={bottom} class="life" /></g>
          ))}
          {steps.map(([from, to, text], index) => {
            const y = TOP + STEP * (index + 0.6);
            const [x1, x2] = [at(from), at(to)];
            const tip = x2 > x1 ? -7 : 7;
            return (
              <g key={index}>
                <text x={(x1 + x2) / 2} y={y - 6} text-anchor="middle">{text}</text>
                <path d={`M${x1} ${y}H${x2}M${x2 + tip} ${y - 4}L${x2} ${y}L${x2 + tip} ${y + 4}`} class="arrow" />
              </g>
            );
          })}
        </svg>
      </div>
    </section>
  );
}
