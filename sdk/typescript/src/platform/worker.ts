/** Worker that answers one message. */
export interface OneShotWorker {
  /** Sends a message; returns the answer. Rejects if the worker fails. */
  ask<Answer>(message: Uint8Array<ArrayBuffer>): Promise<Answer>;
  end(): void;
}
