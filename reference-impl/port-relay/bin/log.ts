import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogOptions } from './command-line.ts';

/** Logs to stderr, written through at once so that nothing is lost at the end. Ids and keys never reach it: no report holds one. */
export const openLog = ({ format, level }: LogOptions): Logger => {
  const options = { level, base: null };
  if (format === 'json') return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY === true }));
};
