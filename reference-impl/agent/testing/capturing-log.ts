import type { Log } from '../plugin.ts';

export type LogLine = { readonly level: keyof Log; readonly fields: unknown; readonly text: string };

/** A log that remembers. */
export const capturingLog = (): Log & { readonly lines: LogLine[] } => {
  const lines: LogLine[] = [];
  const at =
    (level: keyof Log) =>
    (fields: unknown, text = ''): void => {
      lines.push({ level, fields, text });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};
