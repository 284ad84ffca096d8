import { InternalError } from '../errors.js';
import type { OneShotWorker } from './worker.js';

/** Starts the worker that examines files. */
export function startWorker(): OneShotWorker {
  const worker = new Worker(new URL('../content/worker.js', import.meta.url), { type: 'module' });
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        // A file that is no script gives an event without a message.
        worker.onerror = ({ message: text }) => {
          reject(
            new InternalError(`the worker of @motif/sdk failed: ${text || '`content/worker.js` cannot be loaded'}`),
          );
        };
        worker.postMessage(message, [message.buffer]);
      }),
    end: () => worker.terminate(),
  };
}

/** Answers the messages of the page that started this worker. */
export function serveWorker<Message, Answer>(answer: (message: Message) => Promise<Answer>): void {
  const scope = globalThis as unknown as { onmessage: unknown; postMessage(answer: Answer): void };
  scope.onmessage = async ({ data }: MessageEvent<Message>) => scope.postMessage(await answer(data));
}
