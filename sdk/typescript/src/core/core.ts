import type { CallName } from './calls.js';
import { compileModule, type ModuleSource } from './module-source.js';
import { PayerCore } from './payer-core.js';
import { WasmModule } from './wasm-module.js';

/**
 * All rules of Motif: those of a payer, and terms, addresses, accounts and instructions. Their module is three times as large
 * as the payer's, and is loaded apart.
 */
export class Core extends PayerCore<CallName> {
  /**
   * Loads the rules into memory of their own. The module is compiled once in a process.
   *
   * @param source Default: the file in this package.
   */
  static override async load(source?: ModuleSource): Promise<Core> {
    return new Core(await WasmModule.instantiate(await compileModule('motif_core.wasm', source)));
  }
}
