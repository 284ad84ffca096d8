import { gateway, listWorks, type WorkFacts } from '../lib/catalogue.js';
import { isGroup } from '../lib/pool.js';
import { earningsOf } from '../lib/record.js';
import { useLoaded, useReload } from '../lib/store.js';
import { texts } from '../texts.js';
import { Busy, ErrorBox, WithWallet } from '../ui/parts.js';
import { WorkCard } from '../ui/works.js';

/** Works that a person owns, created, or is paid from. */
export default function WorksPage() {
  return (
    <>
      <div class="row"><h1>{texts.works.title}</h1><a class="button" href="/studio/payouts">{texts.payouts.link}</a><a class="button primary" href="/studio/register">{texts.works.register}</a></div>
      <WithWallet>{({ address }) => <Works key={address} person={address} />}</WithWallet>
    </>
  );
}

interface Own {
  readonly work: WorkFacts;
  readonly roles: readonly string[];
}

/** Returns the works of a person with its roles in them. */
export async function ownWorks(person: string): Promise<Own[]> {
  const [owned, created] = await Promise.all([listWorks({ owner: person }), listWorks({ creator: person })]);
  const works = new Map<string, WorkFacts>([...owned, ...created].map((work) => [work.work, work]));
  const earnings = await earningsOf(person).catch(() => undefined);
  for (const { work } of earnings?.works ?? []) {
    if (!works.has(work)) works.set(work, (await gateway.work(work)).work);
  }
  return [...works.values()].filter((work) => !isGroup(work)).map((work) => ({ work, roles: rolesIn(work, person) })).reverse();
}

function rolesIn(work: WorkFacts, person: string): string[] {
  const isPaid = work.split.some(({ recipient }) => recipient === person);
  return [
    ...(work.owner === person ? [texts.works.owner] : []),
    ...(work.creator === person && work.owner !== person ? [texts.works.creator] : []),
    ...(isPaid ? [texts.works.recipient] : []),
  ];
}

function Works({ person }: { person: string }) {
  const { value, error, reload } = useLoaded(() => ownWorks(person), [person]);
  useReload(reload);
  if (error !== undefined) return <ErrorBox error={error} onRetry={reload} />;
  if (!value) return <Busy />;
  if (value.length === 0) return <div class="card center"><p><strong>{texts.works.none}</strong></p><p>{texts.works.noneText}</p></div>;
  return <ul class="works">{value.map(({ work, roles }) => <WorkCard key={work.work} work={work} note={roles.join(', ')} />)}</ul>;
}
