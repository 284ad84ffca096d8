import { useState } from 'preact/hooks';

import { currencies, gateway, type WorkFacts } from '../lib/catalogue.js';
import { parseAmount } from '../lib/money.js';
import { isGroup } from '../lib/pool.js';
import { useLoaded } from '../lib/store.js';
import { texts } from '../texts.js';
import { Busy, ErrorBox, Field, Select } from '../ui/parts.js';
import { WorkCard } from '../ui/works.js';

const PAGE = 50;
type Sort = keyof typeof texts.catalogue.sorts;

/** All works of the gateway. */
export default function CataloguePage() {
  const [kind, setKind] = useState('');
  const [use, setUse] = useState('');
  const [most, setMost] = useState('');
  const [search, setSearch] = useState('');
  const [sort, setSort] = useState<Sort>('first');
  const [limit, setLimit] = useState(PAGE);
  const listed = useLoaded(() => list({ kind, use, most, limit }), [kind, use, most, limit]);
  const all = listed.value?.works ?? [];
  const works = arrange(all, search, sort);
  const total = listed.value?.total ?? 0;
  const hidden = all.filter(isGroup).length;
  const any = [['', texts.catalogue.all]] as const;
  return (
    <>
      <h1>{texts.catalogue.title}</h1>
      <p class="lead">{texts.catalogue.intro}</p>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Field label={texts.catalogue.search} value={search} onValue={setSearch} />
        <Select label={texts.catalogue.kind} value={kind} options={[...any, ...Object.entries(texts.kinds)]} onValue={setKind} />
        <Select label={texts.catalogue.use} value={use} options={[...any, ...Object.entries(texts.uses)]} onValue={setUse} />
        <Field label={texts.catalogue.most} inputMode="decimal" value={most} onValue={setMost} />
        <Select label={texts.catalogue.sort} value={sort} options={Object.entries(texts.catalogue.sorts)} onValue={(to) => setSort(to as Sort)} />
      </form>
      <ErrorBox error={listed.error} onRetry={listed.reload} />
      {listed.isLoading && !listed.value && <Busy />}
      {listed.value && <p class="quiet" role="status">{works.length === 0 ? texts.catalogue.none : texts.catalogue.count(works.length, total - hidden)}</p>}
      <ul class="works">{works.map((work) => <WorkCard key={work.work} work={work} />)}</ul>
      {listed.value && all.length < total && (
        <button type="button" onClick={() => setLimit(limit + PAGE)}>{texts.catalogue.more}</button>
      )}
    </>
  );
}

async function list({ kind, use, most, limit }: { kind: string; use: string; most: string; limit: number }) {
  const query: Record<string, string> = { limit: String(Math.min(limit, 100)) };
  if (kind) query['kind'] = kind;
  if (use) query['use'] = use;
  const [currency] = await currencies();
  const price = currency && most.trim() !== '' ? parseAmount(most, currency.decimals) : undefined;
  if (currency && price !== undefined) Object.assign(query, { max_price: String(price), currency: currency.mint });
  const first = await gateway.works(query);
  const works = [...first.works];
  while (works.length < Math.min(limit, first.total)) {
    const more = await gateway.works({ ...query, offset: String(works.length) });
    if (more.works.length === 0) break;
    works.push(...more.works);
  }
  return { works, total: first.total };
}

function arrange(works: readonly WorkFacts[], search: string, sort: Sort): WorkFacts[] {
  const wanted = search.trim().toLocaleLowerCase();
  const found = works.filter((one) => !isGroup(one)).filter(({ title, work }) => title.toLocaleLowerCase().includes(wanted) || work.toLocaleLowerCase() === wanted);
  if (sort === 'newest') return found.reverse();
  if (sort === 'cheap') return found.sort((one, other) => Number(lowest(one) - lowest(other)));
  return found;
}

function lowest({ terms }: WorkFacts): bigint {
  const prices = (terms?.uses ?? []).map(({ price }) => BigInt(price));
  return prices.reduce((least, price) => (price < least ? price : least), prices[0] ?? 1n << 64n);
}
