/** A memory, in pages of 64 KiB. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  /** Detaches `buffer`. @throws RangeError when there is no more */
  grow(pages: number): number;
}
/** A compiled module. */
export type Module = { readonly [kind: symbol]: 'module' };
export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** What of the platform's WebAssembly is used. Its types come with browsers' or Node's, and this package asks for neither. */
interface Engine {
  readonly Memory: new (size: { initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  readonly Instance: new (module: Module, imports: { host: object }) => { readonly exports: Exports };
}

// by way of unknown: where a program has types of it, they are others than these few
const engine = (): Engine | undefined => (globalThis as unknown as { WebAssembly?: Engine }).WebAssembly;
const present = (): Engine => {
  const found = engine();
  if (found === undefined)
    throw new RangeError('WebAssembly is gone: expected the one that compiled the module');
  return found;
};

/** Compiles a module. @returns undefined where there is no WebAssembly, or a Content-Security-Policy forbids it */
export const moduleFrom = (bytes: Uint8Array<ArrayBuffer>): Module | undefined => {
  try {
    const found = engine();
    return found && new found.Module(bytes);
  } catch {
    return undefined;
  }
};

/** @throws RangeError when the platform has no memory, or no WebAssembly any more */
export const newMemory = (pages: number): Memory => new (present().Memory)({ initial: pages });

/** What a module exports, given what it imports. @throws RangeError as newMemory */
export const exportsOf = (module: Module, host: object): Exports =>
  new (present().Instance)(module, { host }).exports;
