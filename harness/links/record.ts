/** Results of an earlier self-test of this machine, so that not every run measures again. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const FORMAT = 'relaylab-links-trusted/1';
const DAY_MILLIS = 86_400_000;

/** Effects that were within tolerance, with the wall clock's time in milliseconds. */
export type Trusted = Readonly<Record<string, number>>;

type Stored = { readonly format: string; readonly machine: string; readonly trusted: Trusted };

/** What was trusted on this machine within the last day; nothing when there is no such file or it is of another machine. */
export const readTrusted = (file: string, machine: string, now: number): Trusted => {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    if (stored.format !== FORMAT || stored.machine !== machine) return {};
    return Object.fromEntries(
      Object.entries(stored.trusted).filter(([, at]) => at <= now && now - at < DAY_MILLIS),
    );
  } catch {
    return {};
  }
};

/** Keeps what was trusted. A folder that cannot be written costs the next run two seconds, nothing else. */
export const writeTrusted = (file: string, machine: string, trusted: Trusted): void => {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify({ format: FORMAT, machine, trusted }, null, 2)}\n`);
    renameSync(draft, file);
  } catch {
    // see above
  }
};
