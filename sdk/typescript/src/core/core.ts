import { readModule } from '#platform';

import type { CallName, Calls } from './calls.js';
import { WasmModule, type CallResult } from './wasm-module.js';

/** Where the module of rules comes from: its bytes, a compiled module, a response, or its URL. */
export type ModuleSource = BufferSource | WebAssembly.Module | Response | URL | string;

const FILE = 'motif_core.wasm';
let bundled: Promise<WebAssembly.Module> | undefined;

/**
 * The rules of Motif: prices, terms, vouchers, receipts, proofs, addresses and instructions. They run in a WebAssembly
 * module, which is compiled from the same source as the programs' own checks, and have no access to anything outside it.
 */
export class Core {
  readonly #module: WasmModule;

  private constructor(module: WasmModule) {
    this.#module = module;
  }

  /**
   * Loads the rules into memory of their own. The module is compiled once in a process.
   *
   * @param source Default: the file in this package.
   */
  static async load(source?: ModuleSource): Promise<Core> {
    return new Core(await WasmModule.instantiate(await compile(source)));
  }

  /**
   * Calls a rule. Amounts are decimal strings of base units.
   *
   * @throws MotifError if the input is refused.
   */
  call<Name extends CallName>(name: Name, input: Calls[Name]['input'], raw?: Uint8Array): Calls[Name]['output'] {
    return this.callWithRaw(name, input, raw).ok;
  }

  /** Calls a rule whose result has raw bytes beside its JSON. */
  callWithRaw<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    raw?: Uint8Array,
  ): CallResult<Calls[Name]['output']> {
    return this.#module.call<Calls[Name]['output']>(name, input, raw);
  }
}

async function compile(source: ModuleSource | undefined): Promise<WebAssembly.Module> {
  if (source !== undefined) return compileSource(source);
  bundled ??= readModule(FILE).then((bytes) => WebAssembly.compile(bytes));
  try {
    return await bundled;
  } catch (error) {
    bundled = undefined;
    throw error;
  }
}

/** Compiles a module from where the caller has it. */
export async function compileSource(source: ModuleSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source === 'string' || source instanceof URL) return compileSource(await fetch(source));
  if (source instanceof Response) return WebAssembly.compile(await source.arrayBuffer());
  return WebAssembly.compile(source);
}
