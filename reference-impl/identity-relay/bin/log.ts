import { type Logger, pino } from 'pino';

export type LogOptions = { readonly format: 'json' | 'pretty'; readonly level: string };

/** Logs to stderr, written through at once so that nothing is lost at the end. Keys reach it masked. */
export const openLog = async ({ format, level }: LogOptions): Promise<Logger> => {
  const options = { level, base: null };
  if (format === 'json') return pino(options, pino.destination({ dest: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY === true }));
};
