/** The three ways in which a codec works, so that every test can run in all of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Codec, type CodecOptions, compile, emit, type Schema } from '../src/index.ts';

export type Mode = 'compiled' | 'no-eval' | 'emitted';
export const MODES: readonly Mode[] = ['compiled', 'no-eval', 'emitted'];

const INDEX = new URL('../src/index.ts', import.meta.url).href;

/** Writes a module to a folder of its own, imports it, and removes it. */
export const importSource = async (source: string): Promise<Readonly<Record<string, Codec<unknown>>>> => {
  const folder = mkdtempSync(join(tmpdir(), 'postcard-emitted-'));
  try {
    const file = join(folder, 'codecs.mjs');
    writeFileSync(file, source);
    return await import(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Codecs of schemas in one mode, in their order. */
export const codecsOf = async (
  mode: Mode,
  schemas: readonly Schema<unknown>[],
  options: Omit<CodecOptions, 'mode'> = {},
): Promise<readonly Codec<unknown>[]> => {
  if (mode !== 'emitted') return schemas.map((schema) => compile(schema, { ...options, mode }));
  const named = Object.fromEntries(schemas.map((schema, i) => [`c${i}`, schema]));
  const made = await importSource(emit(named, { ...options, from: INDEX }));
  return schemas.map((_, i) => made[`c${i}`] as Codec<unknown>);
};
