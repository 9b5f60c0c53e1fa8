import type { AgentContext, Plugin } from '../../plugin.ts';
import { RETRY_DEFAULTS, readRetry } from '../queue-config.ts';
import { type CsvConfig, CsvOutput } from './csv-output.ts';

/** `[plugins.csv]`: measurements into a file. */
export const csvPlugin: Plugin<CsvConfig, AgentContext> = {
  name: 'csv',
  defaults: `# The file. One that is there goes on with the columns it has.
output_path = "alumet-output.csv"
# Every batch is in the file before the next one is taken. Without it some 64 KiB are held back.
force_flush = true
# "mem_total_B" instead of "mem_total".
append_unit_to_metric_name = true
# "ms", not "millis".
use_unit_display_name = true
csv_delimiter = ";"
# Between the attributes in the last column.
csv_late_delimiter = ","
# How long the end waits for a disk that is full.
end_timeout = "10s"
${RETRY_DEFAULTS}`,
  read: (table) => {
    const separator = (key: string, fallback: string): string => {
      const text = table.string(key, fallback);
      if (text.length === 1 && !/["\r\n\\=]/.test(text)) return text;
      throw table.error(
        key,
        'CONFIG_VALUE',
        'one character that is no quote, backslash, = or line break',
        'such as ";"',
      );
    };
    const path = table.string('output_path', 'alumet-output.csv');
    if (path === '')
      throw table.error('output_path', 'CONFIG_VALUE', 'the path of a file', 'such as "measurements.csv"');
    return {
      path,
      forceFlush: table.boolean('force_flush', true),
      appendUnit: table.boolean('append_unit_to_metric_name', true),
      displayUnit: table.boolean('use_unit_display_name', true),
      delimiter: separator('csv_delimiter', ';'),
      lateDelimiter: separator('csv_late_delimiter', ','),
      endMillis: table.duration('end_timeout', '10s'),
      retry: readRetry(table),
    };
  },
  create: (config, { registry, log, clock }) => [
    { type: 'output', output: new CsvOutput(config, registry, log, clock) },
  ],
};
