/**
 * Where a payer keeps its state between two processes: one sequence of bytes, to which frames are appended.
 *
 * docs/formats.md of the project describes the frames. The bytes contain no key.
 */
export interface StateStore {
  /**
   * Opens the state for this process alone.
   *
   * @throws StateError `state-locked` if another process has it, `state-failed`.
   */
  open(): Promise<OpenState>;
}

/** Opened state. Its methods are called one after another. */
export interface OpenState {
  /** Returns all bytes; none if the state is new. */
  read(): Promise<Uint8Array>;
  /** Appends bytes durably: they survive the process and a loss of power. */
  append(bytes: Uint8Array): Promise<void>;
  /** Replaces all bytes durably: afterwards the state has either the old ones or these. */
  replace(bytes: Uint8Array): Promise<void>;
  /** Ends the use of the state by this process. */
  close(): Promise<void>;
}
