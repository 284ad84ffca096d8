import { Worker, parentPort } from 'node:worker_threads';

import { InternalError } from '../errors.js';
import type { OneShotWorker } from './worker.js';

/** Starts the worker that examines files. */
export function startWorker(): OneShotWorker {
  const worker = new Worker(new URL('../content/worker.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', (cause) => reject(new InternalError('the worker of @motif/sdk failed', { cause })));
        worker.postMessage(message, [message.buffer]);
      }),
    end: () => void worker.terminate(),
  };
}

/** Answers the messages of the thread that started this worker. */
export function serveWorker<Message, Answer>(answer: (message: Message) => Promise<Answer>): void {
  parentPort?.on('message', async (message: Message) => parentPort?.postMessage(await answer(message)));
}
