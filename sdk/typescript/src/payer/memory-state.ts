import { concat } from '../bytes.js';
import { StateError } from '../errors.js';
import type { OpenState, StateStore } from './state-store.js';

/** State of a payer in memory: it outlives the payer, and ends with the process. */
export function memoryState(): StateStore {
  let bytes: Uint8Array = new Uint8Array();
  let isOpen = false;
  return {
    async open(): Promise<OpenState> {
      if (isOpen) throw new StateError('state-locked', "the payer's state is in use by another payer of this process");
      isOpen = true;
      return {
        read: async () => bytes.slice(),
        append: async (more) => void (bytes = concat([bytes, more])),
        replace: async (all) => void (bytes = all.slice()),
        close: async () => void (isOpen = false),
      };
    },
  };
}
