import type { OneShotWorker } from '../../../../sdk/typescript/src/platform/worker.js';

/** Starts the worker that examines files. Takes the place of the SDK's platform module. */
export function startWorker(): OneShotWorker {
  const worker = new Worker(new URL('./content-worker.ts', import.meta.url), { type: 'module' });
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message: text }) => reject(new Error(text || 'the worker has failed'));
        worker.postMessage(message, [message.buffer]);
      }),
    end: () => worker.terminate(),
  };
}
