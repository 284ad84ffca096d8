import type { CallName, Calls, PayerCallName } from './calls.js';
import { compileModule, type ModuleSource } from './module-source.js';
import { WasmModule, type CallResult } from './wasm-module.js';

/**
 * The rules that a payer needs: prices, vouchers, receipts, proofs, purchases. They run in a WebAssembly module, which is
 * compiled from the same source as the programs' own checks, and have no access to anything outside it.
 */
export class PayerCore<Known extends CallName = PayerCallName> {
  readonly #module: WasmModule;

  protected constructor(module: WasmModule) {
    this.#module = module;
  }

  /**
   * Loads the rules into memory of their own. The module is compiled once in a process.
   *
   * @param source Default: the file in this package.
   */
  static async load(source?: ModuleSource): Promise<PayerCore> {
    return new PayerCore(await WasmModule.instantiate(await compileModule('motif_payer.wasm', source)));
  }

  /**
   * Calls a rule. Amounts are decimal strings of base units.
   *
   * @throws MotifError if the input is refused.
   */
  call<Name extends Known>(name: Name, input: Calls[Name]['input'], raw?: Uint8Array): Calls[Name]['output'] {
    return this.callWithRaw(name, input, raw).ok;
  }

  /** Calls a rule whose result has raw bytes beside its JSON. */
  callWithRaw<Name extends Known>(
    name: Name,
    input: Calls[Name]['input'],
    raw?: Uint8Array,
  ): CallResult<Calls[Name]['output']> {
    return this.#module.call<Calls[Name]['output']>(name, input, raw);
  }
}
