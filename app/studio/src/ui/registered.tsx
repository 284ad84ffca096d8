import type { Registered } from '../lib/registration.js';
import { texts } from '../texts.js';
import { Code } from './parts.js';

/** Work that was registered. */
export function Registration({ work, signature, uploadError }: Registered) {
  return (
    <div class="card center" data-work={work}>
      <h2>{texts.register.done}</h2>
      <p>{texts.register.doneText}</p>
      {signature !== '' && <p><Code value={signature} length={8} /></p>}
      {uploadError !== undefined && <p class="bad">{texts.register.uploadFailed} {uploadError instanceof Error ? uploadError.message : String(uploadError)}</p>}
      <p><a class="button primary" href={`/w/${work}`}>{texts.register.open}</a></p>
    </div>
  );
}
