import { MotifError, RefusedError } from '@motif/sdk';

import { texts } from '../texts.js';

/** Error in words: what is wrong, and what to do. */
export interface Explanation {
  readonly what: string;
  readonly action: string;
}

const DECLINED = /reject|declin|denied|cancel|user/i;

/** Explains an error to a person. */
export function explain(error: unknown): Explanation {
  const { errors } = texts;
  const what = error instanceof Error ? error.message : String(error);
  if (error instanceof RefusedError) {
    const { type, status } = error.problem;
    if (type === 'rate-limited') return { what, action: errors.rateLimited };
    if (/insufficient lamports|no record of a prior credit|insufficient funds for rent/i.test(what)) return { what, action: errors.funds };
    return { what, action: status >= 500 ? errors.unreachable : errors.refused };
  }
  if (error instanceof MotifError) {
    if (error.type === 'unreachable') return { what, action: errors.unreachable };
    if (error.type === 'untrusted' || error.type === 'proof-invalid') return { what, action: errors.untrusted };
    return { what, action: errors.refused };
  }
  if (DECLINED.test(what)) return { what, action: errors.declined };
  return { what, action: errors.unknown };
}
