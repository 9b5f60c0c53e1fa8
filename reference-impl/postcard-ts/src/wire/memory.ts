type Unsafe = { allocUnsafeSlow?: (size: number) => Uint8Array };
const nodeBuffer = (globalThis as { Buffer?: Unsafe }).Buffer;

/** Memory that the caller is about to overwrite: not zeroed where the platform can leave that out. */
export const allocate: (size: number) => Uint8Array = nodeBuffer?.allocUnsafeSlow
  ? (size) => {
      const memory = (nodeBuffer.allocUnsafeSlow as (size: number) => Uint8Array)(size);
      return new Uint8Array(memory.buffer as ArrayBuffer, memory.byteOffset, memory.length);
    }
  : (size) => new Uint8Array(size);
