import { useState } from 'preact/hooks';

import type { WorkFacts } from '../lib/catalogue.js';
import { previewUrl, readMetadata } from '../lib/record.js';
import { useLoaded } from '../lib/store.js';
import { texts } from '../texts.js';
import { Amount, Code, Icon, Text } from './parts.js';

/** Picture of a work that the gateway hosts, or a drawing of its kind. */
export function Picture({ work, size = 'small' }: { work: WorkFacts; size?: 'small' | 'large' }) {
  const [isBroken, setBroken] = useState(false);
  const { value } = useLoaded(() => readMetadata(work.metadata_digest), [work.metadata_digest]);
  const preview = value?.preview;
  if (!preview || isBroken) return <div class={`picture ${size}`}><Icon name={work.kind} /></div>;
  return <img class={`picture ${size}`} src={previewUrl(preview, size)} alt="" loading="lazy" onError={() => setBroken(true)} />;
}

/** Title of a work, or its address. */
export function Title({ work }: { work: Pick<WorkFacts, 'title' | 'work'> }) {
  if (work.title !== '') return <Text value={work.title} />;
  return <>{`${work.work.slice(0, 6)}…${work.work.slice(-4)}`}</>;
}

/** Lowest price of a work's terms. */
export function Price({ work }: { work: WorkFacts }) {
  const { terms } = work;
  const [first] = [...(terms?.uses ?? [])].sort((one, other) => Number(BigInt(one.price) - BigInt(other.price)));
  if (!terms || !first) return <>{texts.works.unlicensed}</>;
  if (BigInt(first.price) === 0n) return <>{texts.works.free}</>;
  return <><Amount amount={first.price} mint={terms.currency} />{` / ${texts.units[first.unit]}`}</>;
}

/** State of a work. */
export function Status({ status }: { status: WorkFacts['status'] }) {
  return <span class={`badge ${status}`}>{texts.statuses[status]}</span>;
}

/** Work in a list. */
export function WorkCard({ work, note }: { work: WorkFacts; note?: string }) {
  return (
    <li class="work">
      <Picture work={work} />
      <div class="body">
        <h2><a href={`/w/${work.work}`}><Title work={work} /></a></h2>
        <p class="quiet">
          {texts.kinds[work.kind]} {work.status !== 'active' && <Status status={work.status} />}
        </p>
        <p class="price"><Price work={work} /></p>
        {note && <p class="quiet">{note}</p>}
        <p class="quiet">{texts.work.by} <Code value={work.creator} /></p>
      </div>
    </li>
  );
}
