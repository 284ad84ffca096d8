import { MotifError, type MotifErrorType } from './errors.js';

/** What happened inside, for logs and metrics. Events contain no key, token, query, header or body. */
export type MotifEvent =
  | {
      /** A request is repeated. */
      readonly type: 'retry';
      /** Origin of the server that did not answer, or put the request off. */
      readonly origin: string;
      readonly error: MotifErrorType;
      readonly message: string;
      /** Time until the next attempt, milliseconds. */
      readonly pause: number;
    }
  | {
      /** The gateway has answered a batch. */
      readonly type: 'batch';
      readonly status: number;
      readonly generations: number;
      readonly milliseconds: number;
    }
  | {
      /** The outcome of a batch is unknown. It is repeated before anything else is signed. */
      readonly type: 'unanswered';
      readonly message: string;
    }
  | {
      /** A paywall had no place for a request, which is repeated. */
      readonly type: 'place-refused';
      readonly origin: string;
      /** Slug of the problem. */
      readonly problem: string;
    }
  | {
      /** A purchase has failed. An equal request continues it if `isDefinite` is `false`. */
      readonly type: 'purchase-failed';
      readonly origin: string;
      readonly error: MotifErrorType | 'aborted';
      readonly message: string;
      readonly isDefinite: boolean;
    };

/** Receives events. What it throws is ignored. */
export type EventListener = (event: MotifEvent) => void;

/** Hands an event to a listener. */
export function emit(listener: EventListener | undefined, event: MotifEvent): void {
  try {
    listener?.(event);
  } catch {
    // A log that fails stops no payment.
  }
}

/** Returns a function that reports repeated attempts at a server. */
export function reportRetries(listener: EventListener | undefined, url: string): OnRetry {
  const base = globalThis.location?.href;
  const origin = URL.canParse(url, base) ? new URL(url, base).origin : 'an invalid URL';
  return (thrown, pause) => {
    const error = thrown instanceof MotifError ? thrown.type : 'internal';
    emit(listener, {
      type: 'retry',
      origin,
      error,
      message: thrown instanceof Error ? thrown.message : 'no answer',
      pause,
    });
  };
}

/** Called before an attempt is repeated, with its error and the time until then. */
export type OnRetry = (thrown: unknown, pause: number) => void;
