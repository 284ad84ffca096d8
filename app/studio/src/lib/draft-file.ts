import type { Examination } from '@motif/sdk/content';

import { Store } from './store.js';

/** File that the register page begins with: the one that was looked up before. */
export const draftFile = new Store<{ file: File; examined: Examination } | undefined>(undefined);
