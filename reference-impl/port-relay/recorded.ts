import { readFileSync } from 'node:fs';

/** A line of a recorded conversation. `bytes` empty: an event, told by `note`. */
export type Row = {
  readonly conn: string;
  readonly from: 'client' | 'relay' | 'user' | 'forwarder';
  readonly bytes: Uint8Array;
  readonly note: string;
};

type Line = {
  readonly conn: string;
  readonly from: Row['from'];
  readonly hex: string;
  readonly note: string;
};

/** Reads `vectors/<name>.jsonl`; bytes that were recorded in part are filled up as their note says. */
export const recorded = (name: string): readonly Row[] => {
  const text = readFileSync(new URL(`./vectors/${name}.jsonl`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((json) => {
      const { conn, from, hex, note } = JSON.parse(json) as Line;
      const shown = Buffer.from(hex, 'hex');
      const length = Number(/\((\d+) bytes, first 64 shown\)/.exec(note)?.[1] ?? shown.length);
      const bytes = new Uint8Array(length).fill(shown.at(-1) ?? 0);
      bytes.set(shown);
      return { conn, from, bytes, note };
    });
};

/** All that one side sent on a connection, as Latin-1. */
export const said = (rows: readonly Row[], conn: string, from: Row['from']): string =>
  rows
    .filter((row) => row.conn === conn && row.from === from)
    .map((row) => Buffer.from(row.bytes).toString('latin1'))
    .join('');
