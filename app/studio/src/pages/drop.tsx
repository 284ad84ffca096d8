import type { Authentication } from '@motif/sdk';
import { examineInWorker, type Examination } from '@motif/sdk/content';
import { useState } from 'preact/hooks';

import { gateway, type WorkFacts } from '../lib/catalogue.js';
import { draftFile } from '../lib/draft-file.js';
import { navigate } from '../lib/router.js';
import { texts } from '../texts.js';
import { Amount, Busy, Code, ErrorBox, FileZone, Notice, Time, useAction } from '../ui/parts.js';
import { WorkCard } from '../ui/works.js';

interface Found {
  readonly file: File;
  readonly examined: Examination;
  readonly answer: Authentication;
}

/** Home: whose a file is, what its use costs, whether it was paid for. */
export default function DropPage() {
  const [found, setFound] = useState<Found>();
  const [step, setStep] = useState('');
  const action = useAction();
  const look = (file: File) =>
    action.run(async () => {
      setFound(undefined);
      setStep(texts.drop.working(file.name));
      const examined = await examineInWorker(file);
      setStep(texts.drop.asking);
      const fingerprints = examined.probes.filter(({ scheme }) => scheme !== 0);
      const answer = await gateway.authenticate({ digest: examined.digest, fingerprints: [...fingerprints] });
      setFound({ file, examined, answer });
    });
  return (
    <>
      <h1>{texts.drop.title}</h1>
      <p class="lead">{texts.drop.intro}</p>
      <FileZone label={found ? texts.drop.another : texts.drop.zone} hint={texts.drop.privacy} onFile={look} />
      {action.isBusy && <Busy text={step} />}
      <ErrorBox error={action.error} />
      {found && <Answer {...found} />}
    </>
  );
}

function Answer({ file, examined, answer }: Found) {
  const { exact, alike, receipts, conflict } = answer;
  const isUnknown = exact.length + alike.length + receipts.length === 0;
  const claim = () => {
    draftFile.set({ file, examined });
    navigate('/studio/register');
  };
  return (
    <section aria-live="polite">
      <h2>{file.name}</h2>
      <p class="quiet">{texts.drop.digest} <Code value={examined.digest} length={8} /></p>
      {conflict && <Notice tone="warn">{texts.drop.conflict}</Notice>}
      {receipts.map(({ receipt, settled }) => (
        <Notice key={receipt.digest} tone="good">
          <strong>{texts.drop.paid}</strong>
          <p>{settled ? texts.drop.paidSettled : texts.drop.paidSigned}, <Time at={receipt.issued_at} />. <a href={`/r/${receipt.digest}`}>{texts.receipts.title}</a></p>
        </Notice>
      ))}
      {exact.length > 0 && (
        <>
          <h2>{texts.drop.exact}</h2>
          <p class="quiet">{texts.drop.exactNote}</p>
          <ul class="works">{exact.map((work) => <Result key={work.work} work={work} />)}</ul>
        </>
      )}
      {alike.length > 0 && (
        <>
          <h2>{texts.drop.alike}</h2>
          <p class="quiet">{texts.drop.alikeNote}</p>
          <ul class="works">
            {alike.map(({ work, distance, distance_at_most }) => (
              <Result key={work.work} work={work} note={texts.drop.distance(distance, distance_at_most)} />
            ))}
          </ul>
        </>
      )}
      {isUnknown && <Notice><strong>{texts.drop.nothing}</strong><p>{texts.drop.nothingText}</p></Notice>}
      {exact.length === 0 && <p><button type="button" class="primary" onClick={claim}>{texts.drop.mine}</button></p>}
    </section>
  );
}

function Result({ work, note }: { work: WorkFacts; note?: string }) {
  const { terms } = work;
  return (
    <>
      <WorkCard work={work} {...(note ? { note } : {})} />
      <li class="card">
        <h2>{texts.drop.cost}</h2>
        {terms ? (
          <ul>
            {terms.uses.map(({ use, unit, price }) => (
              <li key={use}>{texts.uses[use]}: <Amount amount={price} mint={terms.currency} /> / {texts.units[unit]}</li>
            ))}
          </ul>
        ) : <p>{texts.drop.unlicensed}</p>}
      </li>
    </>
  );
}
