import { readModule } from '#platform';

/** Where a module of rules comes from: its bytes, a compiled module, a response, or its URL. */
export type ModuleSource = BufferSource | WebAssembly.Module | Response | URL | string;

const bundled = new Map<string, Promise<WebAssembly.Module>>();

/** Compiles a module of this package, once in a process, or the one that the caller has. */
export async function compileModule(file: string, source?: ModuleSource): Promise<WebAssembly.Module> {
  if (source !== undefined) return compileSource(source);
  const compiled = bundled.get(file) ?? readModule(file).then((bytes) => WebAssembly.compile(bytes));
  bundled.set(file, compiled);
  try {
    return await compiled;
  } catch (error) {
    bundled.delete(file);
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
