import { InternalError } from '../errors.js';
import { toError, type ErrorJson } from './module-error.js';
import { decodeFrame, encodeFrame } from './frame.js';

interface Exports {
  readonly memory: WebAssembly.Memory;
  motif_allocate(length: number): number;
  motif_release(pointer: number, length: number): void;
  motif_call(pointer: number, length: number): bigint;
}

/** Result of a call: its JSON and raw bytes. */
export interface CallResult<Output> {
  readonly ok: Output;
  readonly raw: Uint8Array;
}

const NO_BYTES = new Uint8Array();
const LOW_HALF = 0xffff_ffffn;

/** Instance of a module of rules, with memory of its own. It imports nothing: no clock, network or randomness. */
export class WasmModule {
  readonly #exports: Exports;
  #trap: InternalError | undefined;

  private constructor(exports: Exports) {
    this.#exports = exports;
  }

  /** Instantiates a compiled module. */
  static async instantiate(module: WebAssembly.Module): Promise<WasmModule> {
    const instance = await WebAssembly.instantiate(module, {});
    return new WasmModule(instance.exports as unknown as Exports);
  }

  /**
   * Calls a function of the module. `raw` are the bytes behind the JSON of its input.
   *
   * @throws MotifError if the module refuses the input; InternalError after a trap, which ends the instance.
   */
  call<Output>(name: string, fields: object, raw: Uint8Array = NO_BYTES): CallResult<Output> {
    if (this.#trap) throw this.#trap;
    const output = decodeFrame(this.#exchange(encodeFrame({ call: name, ...fields }, raw), name));
    const result = output.json as { ok: Output } | { error: ErrorJson };
    if ('error' in result) throw toError(result.error);
    return { ok: result.ok, raw: output.raw };
  }

  #exchange(input: Uint8Array, name: string): Uint8Array {
    const { memory, motif_allocate, motif_call, motif_release } = this.#exports;
    try {
      const pointer = motif_allocate(input.length) >>> 0;
      new Uint8Array(memory.buffer, pointer, input.length).set(input);
      const packed = BigInt.asUintN(64, motif_call(pointer, input.length));
      const [start, length] = [Number(packed >> 32n), Number(packed & LOW_HALF)];
      const output = new Uint8Array(memory.buffer, start, length).slice();
      motif_release(start, length);
      return output;
    } catch (cause) {
      this.#trap = new InternalError(`the module of rules failed in ${name}`, { cause });
      throw this.#trap;
    }
  }
}
