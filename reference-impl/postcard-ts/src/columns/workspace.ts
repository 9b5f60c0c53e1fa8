import { type Memory, newMemory } from '../wasm/engine.ts';
import { TEXTS_END, writeMasks } from './text-module.ts';

const PAGE = 1 << 16;
/** A memory never shrinks: one that grew beyond is given up after the table. */
const KEPT_MAX = 32 * 1024 * 1024;

/** Reads rows from i to (not including) `to`. @returns one of ROWS, or noRoom and a level more */
export type RowsFunction = (i: number, to: number) => number;

/** A memory in which readers of rows work. In the one of all nothing outlives a decode but strings; a table that is used again has its own. */
export class Workspace {
  /** All of it, until it grows. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The same by words. */
  cells: Int32Array<ArrayBuffer>;
  readonly memory: Memory;
  /** The code of each reader for this memory. Kept here, so that who reads no more keeps no memory alive. */
  readonly functions = new WeakMap<object, RowsFunction>();

  private constructor(memory: Memory) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.cells = new Int32Array(memory.buffer);
    writeMasks(this.bytes);
  }

  static #current: Workspace | undefined;

  /** The one of all readers. @throws RangeError when the platform has no memory */
  static current(): Workspace {
    Workspace.#current ??= Workspace.own();
    return Workspace.#current;
  }

  /** One more. @throws RangeError when the platform has no memory */
  static own(): Workspace {
    return new Workspace(newMemory(Math.ceil(TEXTS_END / PAGE)));
  }

  /** After a table: lets a large memory go. */
  static tidy(): void {
    if (Workspace.#current !== undefined && Workspace.#current.bytes.length > KEPT_MAX)
      Workspace.#current = undefined;
  }

  /** @throws RangeError when the platform has no more memory */
  reserve(bytes: number): void {
    const missing = bytes - this.bytes.length;
    if (missing <= 0) return;
    this.memory.grow(Math.ceil(missing / PAGE));
    this.bytes = new Uint8Array(this.memory.buffer);
    this.cells = new Int32Array(this.memory.buffer);
  }
}
