import { useEffect, useState } from 'preact/hooks';

/** Value that components watch. */
export class Store<T> {
  #value: T;
  readonly #watchers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Calls `watcher` after each change; returns the function that ends it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Returns a store's value, and renders the component again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(() => store.value);
  useEffect(() => {
    const read = () => setValue(() => store.value);
    // It may have changed between rendering and watching.
    read();
    return store.watch(read);
  }, [store]);
  return value;
}

/** What a component loads. */
export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  reload(): void;
}

/** Loads a value when a component appears, and again when a dependency changes. */
export function useLoaded<T>(load: () => Promise<T>, dependencies: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error?: unknown; isLoading: boolean }>({ isLoading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    setState(({ value }) => ({ ...(value === undefined ? {} : { value }), isLoading: true }));
    load().then(
      (value) => isCurrent && setState({ value, isLoading: false }),
      (error: unknown) => isCurrent && setState({ error, isLoading: false }),
    );
    return () => {
      isCurrent = false;
    };
  }, [...dependencies, round]);
  const reload = () => setRound((count) => count + 1);
  return { value: state.value, error: state.error, isLoading: state.isLoading, reload };
}

/** Gateways read the chain every few seconds. */
const RELOAD_EVERY = 5_000;

/** Loads again from time to time while the page is visible. */
export function useReload(reload: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), RELOAD_EVERY);
    return () => clearInterval(timer);
  }, []);
}
